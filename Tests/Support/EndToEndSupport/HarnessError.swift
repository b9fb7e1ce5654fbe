/// Why a test could not go on: what was waited for, or what could not be done.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
