/// The `DISBATCH_*` variables of one process, as C strings one behind the other.
package struct TaskVariables {
    /// The variables that are the same for all processes of an engine, each `NAME=VALUE`.
    package static func constant(of configuration: EngineConfiguration, guardName: String) -> [[UInt8]] {
        [
            Array("DISBATCH_JOBID=".utf8) + configuration.jobID,
            Array("DISBATCH_NAMETASKS=".utf8) + configuration.taskFileName,
            Array("DISBATCH_CORES_PER_TASK=\(configuration.coresPerTask)".utf8),
            Array("DISBATCH_ENGINE_RANK=\(configuration.rank.rawValue)".utf8),
            Array("DISBATCH_WORKDIR=".utf8) + configuration.workingDirectory, guardMark(guardName),
        ]
    }

    /// The entry that all processes of an engine have in their environment, by which they are found: `DISBATCH_GUARD=`
    /// and the name of its guard.
    package static func guardMark(_ guardName: String) -> [UInt8] { Array("DISBATCH_GUARD=\(guardName)".utf8) }

    /// Appends the variables of one process to `bytes`, and where each begins to `offsets`.
    ///
    /// - Parameter cylinder: the slot, or -1 for a per-engine command.
    package static func append(
        _ spec: TaskSpec, cylinder: Int, to bytes: inout [UInt8], offsets: inout [Int]
    ) {
        func begin(_ name: StaticString) {
            offsets.append(bytes.count)
            name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        }
        func plain(_ name: StaticString, _ value: Int) {
            begin(name)
            appendDecimal(value, to: &bytes)
            bytes.append(0)
        }
        func padded(_ name: StaticString, _ value: Int) {
            begin(name)
            appendDecimal(value, to: &bytes, minimumWidth: 6)
            bytes.append(0)
        }
        plain("DISBATCH_TASKID=", spec.id.rawValue)
        padded("DISBATCH_TASKID_ZP=", spec.id.rawValue)
        plain("DISBATCH_STREAM_INDEX=", spec.streamIndex)
        padded("DISBATCH_STREAM_INDEX_ZP=", spec.streamIndex)
        plain("DISBATCH_REPEAT_INDEX=", spec.repeatIndex)
        padded("DISBATCH_REPEAT_INDEX_ZP=", spec.repeatIndex)
        plain("DISBATCH_CYLINDER_RANK=", cylinder)
    }

    /// Appends a number as C's `%0*d` does: zeros up to the width, the sign counting.
    static func appendDecimal(_ value: Int, to bytes: inout [UInt8], minimumWidth: Int = 1) {
        var digits = value.magnitude
        var count = 1
        var power: UInt = 10
        while digits >= power, count < 19 {
            power *= 10
            count += 1
        }
        if digits >= power { count += 1 }
        var width = minimumWidth
        if value < 0 {
            bytes.append(UInt8(ascii: "-"))
            width -= 1
        }
        let end = bytes.count + max(count, width)
        for _ in bytes.count..<end { bytes.append(UInt8(ascii: "0")) }
        var place = end
        while digits > 0 {
            place -= 1
            bytes[place] = UInt8(ascii: "0") + UInt8(digits % 10)
            digits /= 10
        }
    }
}
