import Foundation
import TestSupport
import Testing

@testable import RunReports

@Suite(.blocking) struct ReportTests {
    @Test func percentilesAreByNearestRank() {
        let hundred = Distribution((1...100).map(Double.init).shuffled())
        #expect(hundred.median == 50 && hundred.percentile95 == 95 && hundred.maximum == 100 && hundred.sum == 5050)
        let few = Distribution([3, 1, 2])
        #expect(few.median == 2 && few.percentile95 == 3)
        let one = Distribution([7])
        #expect(one.median == 7 && one.percentile95 == 7 && one.count == 1)
        #expect(Distribution([]) == Distribution())
        #expect(Distribution([1, 2]).median == 1)
    }

    @Test func failuresAreGroupedByCauseButForNumbers() {
        var groups = FailureGroups()
        for id in 0..<5 { groups.add(failed(id, node: "n\(id % 2)", error: "warning\ncan't open file\(id).dat\n")) }
        groups.add(failed(5, error: "other"))
        groups.add(failed(6, code: 2, error: "can't open file9.dat"))
        groups.add(failed(7, code: -100, ending: "engine lost"))
        let sorted = groups.sorted
        #expect(sorted.map(\.count) == [5, 1, 1, 1])
        #expect(sorted[0].message == "can't open file0.dat" && sorted[0].tasks == [0, 1, 2, 3, 4])
        #expect(sorted[0].nodesText == "n0 (3), n1 (2)")
        #expect(sorted.last?.words == "engine lost" && sorted.last?.reason?.contains("--max-lost") == true)
    }

    @Test func causesAreBounded() {
        var groups = FailureGroups()
        for id in 0..<3_000 {
            let letters = String(String(id).map { Character(Unicode.Scalar(UInt8(97 + $0.wholeNumberValue!))) })
            groups.add(failed(id, error: "odd \(letters)"))
        }
        #expect(groups.sorted.count == FailureGroups.mostCauses + 1)
        #expect(groups.sorted.first?.count == 1_000 && groups.sorted.first?.message == "(other messages)")
    }

    @Test func ofALongLineTheEndIsTold() {
        var row = failed(0)
        row.errBytes = 500
        row.errSnippet = Array((String(repeating: "a", count: 40) + "..." + "bbbbbbb and that is no such file\n").utf8)
        #expect(FailureGroups.message(of: row) == Array("...bbbbbbb and that is no such file".utf8))
        row.errSnippet = Array((String(repeating: "a", count: 40) + "..." + "bbb\nlast\n").utf8)
        #expect(FailureGroups.message(of: row) == Array("last".utf8))
        let sixty = String(repeating: "x", count: 60)
        let cut = Array((String(repeating: "x", count: 40) + "..." + String(repeating: "x", count: 20)).utf8)
        #expect(TaskRow.whole(cut, count: 60) == Array(sixty.utf8))
        #expect(TaskRow.whole(cut, count: 81) == cut)
    }

    @Test(arguments: [
        (127, "command not found"), (126, "not executable"), (137, "maybe out of memory"), (-9, "maybe out of memory"),
        (124, "timed out"), (125, "brought home"), (-100, "--max-lost"), (139, "segmentation fault"),
        (-11, "segmentation fault"), (134, "aborted"), (-15, "SIGTERM"),
    ])
    func reasonsOfCodes(code: Int, part: String) {
        #expect(ReturnCodeText.likelyReason(code, message: "")?.contains(part) == true)
    }

    @Test func whatItSaidComesBeforeItsCode() {
        #expect(ReturnCodeText.likelyReason(1, message: "x: No space left on device")?.contains("disk is full") == true)
        #expect(ReturnCodeText.likelyReason(1, message: "boom") == nil)
        #expect(ReturnCodeText.words(137) == "exit status 137: 128 + 9, SIGKILL")
        #expect(ReturnCodeText.words(-9) == "SIGKILL (signal 9)" && ReturnCodeText.words(3) == "exit status 3")
    }

    @Test func nodesThatFailMoreStandOut() {
        let even = (0..<10).map { (node: Array("n\($0)".utf8), tasks: 100, failed: 5) }
        #expect(NodeComparison.suspects(even).isEmpty)
        var odd = even
        odd[3].failed = 60
        #expect(NodeComparison.suspects(odd).map(\.node) == [Array("n3".utf8)])
        #expect(NodeComparison.suspects([(Array("only".utf8), 10, 10)]).isEmpty)
        #expect(NodeComparison.suspects([(Array("a".utf8), 2, 2), (Array("b".utf8), 100, 0)]).isEmpty)
        #expect(NodeComparison.suspects([(Array("a".utf8), 50, 20), (Array("b".utf8), 50, 0)]).count == 1)
    }

    @Test func stragglersAreFarFromTheRest() {
        let rows = (0..<20).map { task($0, seconds: 10 + Double($0 % 3)) } + [task(20, seconds: 80)]
        let report = report(rows)
        #expect(report.stragglers.map(\.id) == [20] && report.stragglerCount == 1)
        #expect(RunReportsTests.report((0..<20).map { task($0, seconds: 0.01 * Double($0)) }).stragglers.isEmpty)
        #expect(RunReportsTests.report([task(0, seconds: 1), task(1, seconds: 99)]).stragglers.isEmpty)
    }

    @Test func aRunningTaskCanBeAStraggler() {
        let rows = (0..<20).map { task($0, seconds: 2) } + [task(20, .running, start: 110)]
        let report = report(rows) {
            $0.finish = nil
            $0.isActive = true
        }
        #expect(report.stragglers.map(\.id) == [20] && report.length(report.stragglers[0]) == 90)
    }

    @Test func slotsAreAddedUpOverTime() {
        var use = SlotUse(start: 0, finish: 100, parts: 10)
        use.addSlots(2, from: 0, to: 100)
        use.addBusy(from: 0, to: 100)
        use.addBusy(from: 5, to: 25)
        use.addBusy(from: -50, to: -1)
        use.addBusy(from: 99, to: 300)
        #expect(use.busy == [1.5, 2, 1.5, 1, 1, 1, 1, 1, 1, 1.1])
        #expect(use.mostAvailable == 2)
        #expect(abs((use.usedPart ?? 0) - 0.605) < 1e-9)
        #expect(use.tailSeconds == 0)
        var tail = SlotUse(start: 0, finish: 100, parts: 10)
        for _ in 0..<4 { tail.addBusy(from: 0, to: 70) }
        tail.addBusy(from: 70, to: 100)
        #expect(tail.tailSeconds == 30)
        #expect(SlotUse(start: 5, finish: 5, parts: 3).finish > 5)
    }

    @Test func histogramHasEveryTaskOnce() {
        let values = [0.0, 0.0004, 0.5, 0.9, 1, 3, 70].sorted()
        let histogram = Histogram(values)
        #expect(histogram.counts.reduce(0, +) == values.count)
        for value in values.dropFirst(2) {
            let below = (0..<histogram.counts.count).last { histogram.lowerEnd($0) <= value }
            #expect(below.map { histogram.counts[$0] > 0 } == true)
        }
    }

    @Test func namesOfNodesAreInTheOrderOfTheirNumbers() {
        let names = ["n10", "n2", "a", "n2b", "", "n02"].map { Array($0.utf8) }.sorted(by: NodeOrder.precedes)
        #expect(names.map { String(decoding: $0, as: UTF8.self) } == ["", "a", "n02", "n2", "n2b", "n10"])
    }

    @Test func textTellsWhatToDo() {
        let rows = [task(0), failed(1, code: 127, error: "bash: nosuch: command not found\n"), failed(2, code: 137)]
        let text = ReportText(report(rows)) { "at \($0)" }.text
        for part in [
            "Run x: ended at 200.0, after 1m 40s, exit status 0", "Tasks: 1 done, 2 failed",
            "Failures: 2 tasks, 2 causes", "1 x exit status 127: bash: nosuch: command not found",
            "likely: command not found", "maybe out of memory",
            #"cd '/data/it'\''s here' && disbatch -r '/data/it'\''s here/x_status.txt' -R -s localhost:2 'my tasks'"#,
        ] {
            #expect(text.contains(part), "\(part) is not in:\n\(text)")
        }
        let good = ReportText(report([task(0)])) { "at \($0)" }.text
        #expect(!good.contains("retry") && !good.contains("Failures"))
    }

    @Test func theStreamsCommandIsNotGivenForStandardInput() {
        let report = report([failed(0)]) { $0.source = "-" }
        #expect(report.retryCommand == nil)
        #expect(ReportText(report) { "\($0)" }.text.contains("dbutil --remaining --failed"))
    }

    @Test func statisticsInJSON() throws {
        let rows = [task(0), failed(1, node: "n\"2"), task(2, .waiting), task(3, .running)]
        let script = """
            import json,sys
            d=json.load(sys.stdin)
            assert d['counts']['done']==1 and d['counts']['waiting']==1 and d['failed']==1
            assert d['nodes'][1]['node']=='n"2' and d['elapsed']['median']==1 and d['memory']['max']==4<<20
            assert d['failures'][0]['first_tasks']==[1] and d['failures'][0]['nodes']=={'n"2':1}
            print('good')
            """
        let result = try Tool.run([try python(), "-c", script], input: StatisticsText.json(report(rows)))
        #expect(result.text == "good\n", "\(result.errorText)")
    }
}
