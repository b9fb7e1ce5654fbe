import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import SSHTransport

/// What is read from what `ssh -G` prints, and from files of keys.
@Suite(.blocking) struct ConfigurationTests {
    private func read(_ text: String, files: Set<String> = []) -> ResolvedSSHConfiguration {
        let variables = ["SSH_AUTH_SOCK": "/run/agent", "OTHER": "/run/other"]
        return ResolvedSSHConfiguration(
            host: "near", output: text,
            ResolvedSSHConfiguration.Surroundings(
                home: "/home/me", environment: { variables[$0] }, fileExists: { files.contains($0) }))
    }

    /// What OpenSSH 9.2 of Debian 12 prints, shortened.
    private static let usual = """
        host near
        user me
        hostname 10.0.0.7
        port 2222
        addressfamily any
        controlmaster false
        gssapiauthentication yes
        hostbasedauthentication no
        identitiesonly no
        permitlocalcommand no
        pubkeyauthentication true
        stricthostkeychecking ask
        tunnel false
        verifyhostkeydns false
        serveralivecountmax 2
        serveraliveinterval 10
        ciphers chacha20-poly1305@openssh.com,aes128-ctr
        kexalgorithms curve25519-sha256
        macs hmac-sha2-256
        hostkeyalgorithms ssh-ed25519,rsa-sha2-512
        securitykeyprovider internal
        identityfile ~/.ssh/id_rsa
        identityfile ~/.ssh/id_ed25519
        globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
        userknownhostsfile /home/me/.ssh/known_hosts ~/.ssh/known_hosts2
        sendenv LANG
        sendenv LC_*
        connecttimeout none
        forwardagent no
        proxyjump gate

        """

    @Test func usualTextIsRead() {
        let found = read(Self.usual, files: ["/home/me/.ssh/id_ed25519"])
        #expect(found.hostName == "10.0.0.7" && found.port == 2222 && found.user == "me")
        #expect(found.identityFiles == ["/home/me/.ssh/id_ed25519"])
        #expect(!found.identitiesOnly && found.agentPath == "/run/agent" && found.usesGSSAPI)
        #expect(
            found.knownHostsFiles == [
                "/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts",
                "/etc/ssh/ssh_known_hosts2",
            ])
        #expect(found.unknownHosts == .refuse && found.hostKeyAlias == nil && found.connectTimeout == nil)
        #expect(found.aliveInterval == 10 && found.aliveCountMax == 2)
        #expect(found.proxyJump == "gate" && found.proxyCommand == nil)
        #expect(found.sentVariables == ["LANG", "LC_*"])
        #expect(found.ciphers == "chacha20-poly1305@openssh.com,aes128-ctr" && found.macs == "hmac-sha2-256")
        #expect(found.unsupported == nil)
    }

    @Test(arguments: [
        ("none", nil), ("SSH_AUTH_SOCK", "/run/agent"), ("$OTHER", "/run/other"), ("${OTHER}.x", "/run/other.x"),
        ("~/agent", "/home/me/agent"), ("$ABSENT", nil),
    ])
    func agentIsFound(text: String, path: String?) {
        #expect(read("identityagent \(text)\n").agentPath == path)
    }

    @Test(arguments: [
        ("remotecommand top", "RemoteCommand"), ("certificatefile ~/c", "CertificateFile"),
        ("hostbasedauthentication yes", "HostbasedAuthentication"), ("forwardagent yes", "ForwardAgent"),
        ("controlmaster auto\ncontrolpath /tmp/c", "ControlPath"), ("controlpath /tmp/open", "ControlPath"),
        ("controlpath /tmp/c", nil), ("controlmaster auto\ncontrolpath none", nil), ("remotecommand none", nil),
        ("pubkeyauthentication false", "PubkeyAuthentication no"), ("localforward 1 [h]:2", "LocalForward"),
        ("checkhostip yes", "CheckHostIP"), ("checkhostip no", nil),
        ("nohostauthenticationforlocalhost yes", "NoHostAuthenticationForLocalhost"),
        ("identityfile ~/%x", "IdentityFile ~/%x"), ("identityfile ~other/id", "IdentityFile ~other/id"),
        ("identityfile none", nil), ("proxyjump %d", "ProxyJump %d"), ("proxycommand nc %h %", "ProxyCommand nc %h %"),
    ])
    func whatLibraryLacksIsNamed(text: String, option: String?) {
        #expect(read(text + "\n", files: ["/tmp/open"]).unsupported == option)
    }

    @Test(arguments: [("yes", false), ("true", false), ("ask", false), ("accept-new", true), ("false", true)])
    func unknownHostsAreRefusedOrNot(text: String, accepts: Bool) {
        #expect((read("stricthostkeychecking \(text)\n").unknownHosts == .accept) == accepts)
    }

    @Test(arguments: [("false", true), ("no", true), ("off", true), ("accept-new", false), ("yes", false)])
    func changedKeysAreToleratedOrNot(text: String, tolerates: Bool) {
        #expect(read("stricthostkeychecking \(text)\n").toleratesChangedKeys == tolerates)
    }

    @Test func tokensAreExpanded() {
        let text =
            "hostname h\nport 7\nuser u\nhostkeyalias k\nidentityfile ~/%n-%h-%p-%r-%k-%%-%i\nidentityfile %d/a\n"
        let paths = ["/home/me/near-h-7-u-k-%-\(getuid())", "/home/me/a"]
        #expect(read(text, files: Set(paths)).identityFiles == paths)
        #expect(read("hostname h\nuser u\nproxyjump %r@%h.gate:9\n").proxyJump == "u@h.gate:9")
        // Its first line has the name without the user.
        let found = ResolvedSSHConfiguration(
            host: "me@near", output: "host near\nuser me\nproxycommand nc %n\n",
            ResolvedSSHConfiguration.Surroundings(home: "/", environment: { _ in nil }, fileExists: { _ in false }))
        #expect(found.proxyCommand == "nc near" && found.host == "me@near")
    }

    @Test func proxiesAreCommands() {
        var found = read("hostname h\nport 7\nuser u\nproxycommand nc %h %p %r %n %%\n")
        #expect(HostConnection.proxyCommand(found, client: "/ssh")?.last == "exec nc h 7 u near %")
        found = read("hostname fe80::1\nport 7\nproxyjump a@b:1,c,d:9\n")
        let words = HostConnection.proxyCommand(found, client: "/ssh") ?? []
        #expect(words.first == "/ssh")
        #expect(Array(words.suffix(6)) == ["-J", "a@b:1,c", "-W", "[fe80::1]:7", "--", "ssh://d:9"])
        #expect(HostConnection.proxyCommand(read("proxyjump none\n"), client: "/ssh") == nil)
    }

    @Test(
        arguments: [
            ("a", "a", true), ("A,b", "a", true), ("a*", "abc", true), ("a*c", "abcbc", true), ("a?c", "abc", true),
            ("a?c", "ac", false), ("*,!a", "a", false), ("*,!a", "b", true), ("[h]:*", "[h]:22", true),
            ("", "a", false),
            ("*.b*", "a.c", false), ("**", "", true),
        ] as [(String, String, Bool)])
    func patternsMatch(list: String, name: String, isMeant: Bool) {
        #expect(HostPattern.matches(list: list[...], name) == (isMeant && !(name.isEmpty && list.isEmpty)))
    }

    /// Names have case, and what is set goes before what is sent.
    @Test func variablesAreChosen() {
        let found = read("sendenv LC_*\nsendenv la?\nsetenv LC_ALL=C\n")
        let environment = ["LC_ALL=de", "LC_TIME=x=y", "LAN=1", "lang=1", "lan=", "OTHER=LC_ALL"]
        #expect(found.variables(of: environment) == ["LC_ALL=de", "LC_TIME=x=y", "lan=", "LC_ALL=C"])
    }

    @Test func keysAreToldApart() throws {
        let path = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (name, words, type, isEncrypted) in [
            ("a", ["-t", "ed25519", "-N", ""], "ssh-ed25519", false),
            ("b", ["-t", "ecdsa", "-b", "384", "-N", "secret"], "ecdsa-sha2-nistp384", true),
            ("c", ["-t", "rsa", "-b", "2048", "-N", ""], "ssh-rsa", false),
            ("d", ["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "secret"], "ssh-rsa", true),
        ] {
            let file = "\(path)/\(name)"
            let made = try Tool.run(["/usr/bin/ssh-keygen", "-q", "-f", file] + words)
            #expect(made.status == 0)
            let key = try #require(KeyFile(path: file))
            #expect(key.type == type && key.isEncrypted == isEncrypted && key.isPrivate)
            let alone = try #require(KeyFile(path: file + ".pub"))
            #expect(alone.publicKey == key.publicKey && alone.type == type && !alone.isPrivate)
            #expect(!alone.publicKey.isEmpty)
        }
        #expect(KeyFile(path: path + "/absent") == nil)
        #expect(KeyFile(text: "odd text", publicText: "").type == "")
    }
}
