/// Why a host has no channel, as a text for users.
package struct SSHError: Error, Equatable, CustomStringConvertible {
    /// The action that follows.
    package enum Kind: Equatable, Sendable {
        /// The network or the host: a later attempt may succeed.
        case network
        /// The user has something to change.
        case permanent
        /// Libssh2 lacks what this host needs; OpenSSH's client has it.
        case needsOpenSSH
        /// The dialer was closed meanwhile.
        case abandoned
    }

    package var kind: Kind
    /// A text of one to three lines: what happened, where, and what to do. The name that the host was dialled by is
    /// left to who dialled.
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// Whether OpenSSH's client may succeed, and is to be tried.
    package var needsOpenSSH: Bool { kind == .needsOpenSSH }

    /// Whether trying again can't help.
    package var isPermanent: Bool { kind == .permanent }
}
