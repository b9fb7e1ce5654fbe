/// A 64-bit hash of what makes a task the same in two runs: its line, its repeat index and its command.
///
/// It lives in one process only, so its values may change from version to version. The mixing (multiply to 128 bits,
/// fold the halves) is that of wyhash.
enum TaskFingerprint {
    static func hash(streamIndex: Int, repeatIndex: Int, command: UnsafeRawBufferPointer) -> UInt64 {
        var hash = mix(
            UInt64(bitPattern: Int64(streamIndex)) ^ 0xA076_1D64_78BD_642F,
            UInt64(bitPattern: Int64(repeatIndex)) ^ 0xE703_7ED1_A0B4_28DB)
        var index = 0
        while index + 8 <= command.count {
            hash = mix(hash ^ command.loadUnaligned(fromByteOffset: index, as: UInt64.self), 0x8EBC_6AF0_9C88_C6E3)
            index += 8
        }
        var tail: UInt64 = 0
        while index < command.count {
            tail = tail << 8 | UInt64(command[index])
            index += 1
        }
        hash = mix(hash ^ tail, 0x5899_65CC_7537_4CC3)
        return mix(hash ^ UInt64(command.count), 0x1D8E_4E27_C47D_124F)
    }

    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return high ^ low
    }
}
