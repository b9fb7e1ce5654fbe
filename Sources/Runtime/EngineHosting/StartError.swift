/// The reason why a run, or a context of one, can't start: nothing was run. The text says what, where and what to do
/// next.
package struct StartError: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
