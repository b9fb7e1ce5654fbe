package import DisbatchCore
import Glibc
import LinuxSystem

/// The facts about this machine that the choice of a context depends on.
package enum ThisMachine {
    package static var surroundings: Surroundings {
        Surroundings(
            hostName: OwnHost.name, ownCores: AllowedCores.count(), variable: variable, findPrograms: programs,
            readFile: TextFile.read, output: output, ownAddresses: { OwnHost.addresses })
    }

    /// The path of a program that stands beside this one.
    package static func program(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return name }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path[..<(path.lastIndex(of: "/") ?? path.startIndex)] + "/" + name
    }

    @Sendable private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    @Sendable private static func output(_ words: [String]) -> String? {
        guard let path = ChildProcess.find(words[0]),
            let output = try? ChildProcess.output(of: [path] + words.dropFirst()), output.isGood
        else { return nil }
        return output.text
    }

    @Sendable private static func programs(_ names: [String]) -> [String] {
        let directories = (variable("PATH") ?? "").split(separator: ":")
        return names.filter { name in directories.contains { access("\($0)/\(name)", X_OK) == 0 } }
    }
}
