import DisbatchCore
import Foundation
import RunClient
import Testing

struct RunFileTests {
    /// Whatever stands there as the time: another program wrote it.
    @Test(arguments: ["\"nan\"", "\"-inf\"", "\"inf\"", "1e999", "\"x\"", "null"])
    func aTimeThatIsNone(start: String) throws {
        let path = FileManager.default.temporaryDirectory.path + "/run-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = #"{"format": 1, "name": "r", "version": "1", "host": "h", "pid": 5, "start": \#(start)}"#
        try Data(text.utf8).write(to: URL(filePath: path))
        #expect(try RunFile.read(path).name == "r")
    }
}
