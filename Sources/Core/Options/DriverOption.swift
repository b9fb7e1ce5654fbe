import DisbatchCore

/// An option of `disbatch`: its line in help and manual, and the field that it sets.
struct DriverOption: Sendable {
    let spec: OptionSpec
    let effect: OptionEffect
    /// Whether the option is about one context among others, and `dbutil` takes it too; the others are the run's.
    let isOfContext: Bool

    init(_ spec: OptionSpec, sets effect: OptionEffect, isOfContext: Bool = false) {
        self.spec = spec
        self.effect = effect
        self.isOfContext = isOfContext
    }
}

/// Options of `disbatch` that help and manual show together.
struct DriverOptionGroup: Sendable {
    let title: String
    let operands: [OptionTable.Operand]
    let options: [DriverOption]

    init(_ title: String, operands: [OptionTable.Operand] = [], options: [DriverOption]) {
        self.title = title
        self.operands = operands
        self.options = options
    }

    var shown: OptionTable.Group { OptionTable.Group(title, operands: operands, options: options.map(\.spec)) }
}

/// The change that an option makes when it is given.
struct OptionEffect: Sendable {
    typealias Field<Value> = any WritableKeyPath<DriverOptions, Value> & Sendable

    let apply: @Sendable (inout DriverOptions, ParsedOptions.Occurrence) throws(OptionError) -> Void

    /// Nothing by itself: the option is read with others, shows something and ends the program, or is refused.
    static let nothing = OptionEffect { (_, _) throws(OptionError) in }

    /// A switch.
    static func flag(_ field: Field<Bool>, _ value: Bool = true) -> OptionEffect { constant(field, value) }

    static func constant<Value: Sendable>(_ field: Field<Value>, _ value: Value) -> OptionEffect {
        OptionEffect { (options, _) throws(OptionError) in options[keyPath: field] = value }
    }

    /// The option's value; the last one counts.
    static func value<Value>(_ field: Field<Value>, _ reader: ValueReader<Value>) -> OptionEffect {
        OptionEffect { (options, given) throws(OptionError) in options[keyPath: field] = try reader.read(given) }
    }

    static func value<Value>(_ field: Field<Value?>, _ reader: ValueReader<Value>) -> OptionEffect {
        OptionEffect { (options, given) throws(OptionError) in options[keyPath: field] = try reader.read(given) }
    }

    /// All values of an option, in their order.
    static func list<Value>(_ field: Field<[Value]>, _ reader: ValueReader<Value>) -> OptionEffect {
        OptionEffect { (options, given) throws(OptionError) in options[keyPath: field].append(try reader.read(given)) }
    }
}

/// Reads an option's value, or throws an error that names the option.
struct ValueReader<Value>: Sendable {
    let read: @Sendable (ParsedOptions.Occurrence) throws(OptionError) -> Value
}

extension ValueReader<String> {
    static let text = ValueReader { (given) throws(OptionError) in try given.text() }
    static let label = ValueReader { (given) throws(OptionError) in try given.label() }
    static let absolutePath = ValueReader { (given) throws(OptionError) in try given.absolutePath() }
}

extension ValueReader<Int> {
    static func count(atLeast minimum: Int) -> ValueReader {
        ValueReader { (given) throws(OptionError) in try given.count(atLeast: minimum) }
    }
}

extension ValueReader<Double> {
    static let positive = ValueReader { (given) throws(OptionError) in try given.positiveNumber() }
}

extension ValueReader<Duration> {
    static let duration = ValueReader { (given) throws(OptionError) in try given.duration(allowsZero: true) }
    static let positive = ValueReader { (given) throws(OptionError) in try given.duration(allowsZero: false) }
}

extension ValueReader<Duration?> {
    /// A time, or nil for 0.
    static let durationOrNone = ValueReader { (given) throws(OptionError) in
        let duration = try given.duration(allowsZero: true)
        return duration > .zero ? duration : nil
    }
}

extension ValueReader<HostPort> {
    static let hostPort = ValueReader { (given) throws(OptionError) in try given.hostPort() }
    static let listeningAddress = ValueReader { (given) throws(OptionError) in try given.listeningAddress() }
}

extension ValueReader<ClosedRange<UInt16>> {
    static let ports = ValueReader { (given) throws(OptionError) in try given.ports() }
}

extension ValueReader<EnvironmentSetting> {
    static let environmentSetting = ValueReader { (given) throws(OptionError) in try given.environmentSetting() }
}

extension ValueReader where Value: RawRepresentable<String> & CaseIterable & Sendable {
    static var choice: ValueReader { ValueReader { (given) throws(OptionError) in try given.choice() } }
}
