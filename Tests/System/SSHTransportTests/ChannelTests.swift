import Foundation
import LinuxSystem
import SSHTransport
import TestSupport
import Testing

/// Bytes over channels to real hosts.
@Suite(.blocking, .serialized) struct ChannelTests {
    @Test func commandRunsAndItsEndIsTold() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let loop = try TestLoop(hosts)
            let exchange = Exchange(
                try loop.dial("nodeA", "head -n 1; pwd; echo trouble >&2; exit 7"), input: [65, 10])
            try loop.run([exchange])
            #expect(exchange.text == "A\n\(try hosts.home(of: "nodeA"))\n")
            #expect(exchange.end == .ended)
            #expect(exchange.channel.exitStatus == 7)
            #expect(exchange.channel.exitSignal == nil)
            #expect(loop.errorText == "trouble\n")
            exchange.channel.close()
            #expect(exchange.channel.descriptor == -1)
        }
    }

    @Test func signalIsTold() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let loop = try TestLoop(hosts)
            let exchange = Exchange(try loop.dial("nodeA", "kill -TERM $$"))
            try loop.run([exchange])
            #expect(exchange.channel.exitSignal == "TERM")
            #expect(exchange.channel.exitStatus == nil)
        }
    }

    /// What was written before arrives, also by way of another host.
    @Test(arguments: ["nodeA", "inner"]) func closingEndsTheCommandsInput(name: String) throws {
        try SSHHosts.with([SSHHostPlan("nodeA"), SSHHostPlan("inner", client: ["ProxyJump nodeA"])]) { hosts in
            let loop = try TestLoop(hosts)
            let home = try hosts.home(of: name)
            let channel = try loop.dial(name, "cat >got.part; mv got.part got")
            let bytes = Array("last words\n".utf8)
            #expect(bytes.withUnsafeBytes { channel.write($0) } == .bytes(bytes.count))
            channel.close()
            let limit = MonotonicTime.now + .seconds(20)
            while access(home + "/got", F_OK) != 0, MonotonicTime.now < limit { usleep(2000) }
            #expect(try String(contentsOfFile: home + "/got", encoding: .utf8) == "last words\n")
        }
    }

    /// More than any buffer on the way holds, and, with a limit, under several keys. What memory this process takes for
    /// it can't be told while others take some too.
    @Test(.alone, arguments: [[], ["RekeyLimit 2M"]])
    func muchGoesBothWaysExactly(server: [String]) throws {
        let count = 24 << 20
        try SSHHosts.with([SSHHostPlan("nodeA", server: server)]) { hosts in
            let loop = try TestLoop(hosts)
            let input = Exchange.patterned(count)
            let exchange = Exchange(
                try loop.dial("nodeA", "head -c \(count); echo done >&2"), input: input, checks: true)
            let before = residentKiB()
            try loop.run([exchange], seconds: 120)
            #expect(exchange.received == count)
            #expect(exchange.wrong == 0)
            #expect(exchange.channel.exitStatus == 0)
            #expect(loop.errorText == "done\n")
            #expect(residentKiB() - before < 24 << 10)
            // What a command takes only bit by bit is not taken from us at once.
            #expect(exchange.mostUnderWay < 16 << 20)
            #expect(exchange.wakings < 1 << 15)
        }
    }

    @Test func idleChannelTakesNoTime() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let loop = try TestLoop(hosts)
            let exchange = Exchange(try loop.dial("nodeA", "echo first; read line; echo last"))
            let poll = try EventPoll()
            try poll.add(exchange.channel.descriptor, token: 0)
            var buffer = [UInt8](repeating: 0, count: 4096)
            var events: [ReadyEvent] = []
            // What came with the answer to the command is told of by no descriptor.
            exchange.receive(&buffer)
            while exchange.text != "first\n" {
                try poll.wait(milliseconds: 20000, into: &events)
                try #require(!events.isEmpty)
                events = []
                exchange.receive(&buffer)
            }
            // Nothing comes, so nothing is told; but a busy host's last words may come after the first line.
            #expect(!exchange.channel.wantsToWrite)
            let limit = MonotonicTime.now + .seconds(20)
            repeat {
                events = []
                try poll.wait(milliseconds: 300, into: &events)
                if !events.isEmpty { exchange.receive(&buffer) }
            } while !events.isEmpty && MonotonicTime.now < limit
            #expect(events.isEmpty && exchange.text == "first\n")
            poll.remove(exchange.channel.descriptor)
            exchange.input = [10]
            try loop.run([exchange])
            #expect(exchange.text == "first\nlast\n")
        }
    }

    @Test func manyErrorsDoNotStopTheOutput() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let loop = try TestLoop(hosts)
            let exchange = Exchange(
                try loop.dial("nodeA", "head -c 4000000 /dev/zero >&2; head -c 4000000 /dev/zero"))
            try loop.run([exchange])
            #expect(exchange.received == 4_000_000)
            #expect(loop.errorText.utf8.count == 4_000_000)
        }
    }

    @Test func commandThatReadsNothingStopsTheWriterOnly() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let loop = try TestLoop(hosts)
            let input = [UInt8](repeating: 65, count: 8 << 20)
            let exchange = Exchange(try loop.dial("nodeA", "echo ready; sleep 1; wc -c"), input: input)
            let closer = Exchange(try loop.dial("nodeA", "sleep 0.2; exit 3"), input: input)
            try loop.run([closer])
            #expect(closer.channel.exitStatus == 3)
            exchange.send()
            let used = processorSeconds()
            var buffer = [UInt8](repeating: 0, count: 4096)
            let poll = try EventPoll()
            try poll.add(exchange.channel.descriptor, token: 0)
            var wakings = 0
            while exchange.output.isEmpty {
                var events: [ReadyEvent] = []
                try poll.wait(milliseconds: 20000, into: &events)
                exchange.receive(&buffer)
                wakings += 1
                try #require(wakings < 1000)
            }
            #expect(processorSeconds() - used < 1)
        }
    }

    @Test func killedHostEndsTheChannel() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let loop = try TestLoop(hosts)
            let exchange = Exchange(try loop.dial("nodeA", "echo here; sleep 1000"))
            var buffer = [UInt8](repeating: 0, count: 4096)
            try hosts.kill("nodeA")
            try loop.run([exchange])
            exchange.receive(&buffer)
            #expect(exchange.end == .ended)
            #expect(exchange.channel.exitStatus == nil)
            #expect([UInt8](repeating: 1, count: 9).withUnsafeBytes { exchange.channel.write($0) } == .ended)
        }
    }

    @Test func manyHostsAtOnce() throws {
        let names = (0..<12).map { "node\($0)" }
        try SSHHosts.with(names) { hosts in
            let loop = try TestLoop(hosts)
            let input = Exchange.patterned(1 << 20)
            let exchanges = try loop.dial(names, "head -c \(input.count)").map {
                Exchange(try $0.get(), input: input, checks: true)
            }
            try loop.run(exchanges)
            #expect(exchanges.map(\.received) == names.map { _ in input.count })
            #expect(exchanges.map(\.wrong) == names.map { _ in 0 })
            #expect(exchanges.map(\.channel.exitStatus) == names.map { _ in 0 })
        }
    }

    private func residentKiB() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4
    }

    /// Of this thread: other tests run beside this one.
    private func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
