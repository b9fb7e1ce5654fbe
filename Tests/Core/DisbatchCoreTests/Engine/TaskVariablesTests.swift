import Foundation
import Testing

@testable import DisbatchCore

struct TaskVariablesTests {
    /// Numbers around every power of ten and of two, and the ends.
    static let numbers: [Int] = {
        var numbers: Set<Int> = [0, .max, .min, .max - 1, .min + 1]
        for power in 0..<19 {
            let value = Int(pow(10.0, Double(power)).rounded())
            for near in -1...1 { numbers.formUnion([value + near, -value + near, value * 9 / 2 + near]) }
        }
        for shift in 0..<63 { numbers.formUnion([1 << shift, (1 << shift) - 1, -(1 << shift)]) }
        return numbers.sorted()
    }()

    @Test func decimalIsTheNumber() {
        for number in Self.numbers {
            var bytes: [UInt8] = [7]
            TaskVariables.appendDecimal(number, to: &bytes)
            #expect(bytes == [7] + Array("\(number)".utf8))
        }
    }

    @Test func paddedDecimalIsWhatCPrints() {
        for number in Self.numbers {
            var bytes: [UInt8] = []
            TaskVariables.appendDecimal(number, to: &bytes, minimumWidth: 6)
            #expect(String(decoding: bytes, as: UTF8.self) == String(format: "%06ld", number))
        }
    }

    private static func variables(_ spec: TaskSpec, cylinder: Int) -> [String] {
        var bytes: [UInt8] = []
        var offsets: [Int] = []
        TaskVariables.append(spec, cylinder: cylinder, to: &bytes, offsets: &offsets)
        #expect(bytes.last == 0)
        // Each must begin where its offset says and end with the NUL before the next.
        return zip(offsets, offsets.dropFirst() + [bytes.count]).map { start, end in
            String(decoding: bytes[start..<end - 1], as: UTF8.self)
        }
    }

    @Test func variablesOfATask() {
        let spec = TaskSpec(id: TaskID(12), streamIndex: 1_234_567, repeatIndex: -1, command: [])
        #expect(
            Self.variables(spec, cylinder: 3) == [
                "DISBATCH_TASKID=12", "DISBATCH_TASKID_ZP=000012", "DISBATCH_STREAM_INDEX=1234567",
                "DISBATCH_STREAM_INDEX_ZP=1234567", "DISBATCH_REPEAT_INDEX=-1", "DISBATCH_REPEAT_INDEX_ZP=-00001",
                "DISBATCH_CYLINDER_RANK=3",
            ])
    }

    @Test func variablesOfAPerEngineCommand() {
        let spec = TaskSpec(id: TaskID(0), streamIndex: 2, repeatIndex: 40, command: [])
        #expect(
            Self.variables(spec, cylinder: -1) == [
                "DISBATCH_TASKID=0", "DISBATCH_TASKID_ZP=000000", "DISBATCH_STREAM_INDEX=2",
                "DISBATCH_STREAM_INDEX_ZP=000002", "DISBATCH_REPEAT_INDEX=40", "DISBATCH_REPEAT_INDEX_ZP=000040",
                "DISBATCH_CYLINDER_RANK=-1",
            ])
    }

    @Test func constants() {
        var configuration = EngineConfiguration(rank: EngineID(4), slots: 2, workingDirectory: [47, 0xff])
        configuration.jobID = Array("Tasks_1".utf8)
        configuration.taskFileName = [0xff]
        configuration.coresPerTask = 3
        #expect(
            TaskVariables.constant(of: configuration, guardName: "8.9") == [
                Array("DISBATCH_JOBID=Tasks_1".utf8), Array("DISBATCH_NAMETASKS=".utf8) + [0xff],
                Array("DISBATCH_CORES_PER_TASK=3".utf8), Array("DISBATCH_ENGINE_RANK=4".utf8),
                Array("DISBATCH_WORKDIR=/".utf8) + [0xff], Array("DISBATCH_GUARD=8.9".utf8),
            ])
    }
}
