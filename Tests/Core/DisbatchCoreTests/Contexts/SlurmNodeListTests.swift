import Testing

@testable import DisbatchCore

struct SlurmNodeListTests {
    @Test(arguments: [
        ("node1", "node1"), ("a,b", "a b"), ("node[1-3]", "node1 node2 node3"),
        ("worker[2080,5071-5072,5422]", "worker2080 worker5071 worker5072 worker5422"),
        ("n[01-03,7]", "n01 n02 n03 n7"), ("n[008-011]", "n008 n009 n010 n011"), ("n[9-11]", "n9 n10 n11"),
        ("rack[1-2]n[1-2]", "rack1n1 rack1n2 rack2n1 rack2n2"), ("n[1-2]-ib,login", "n1-ib n2-ib login"),
        ("a[1,3],b[2-3]x,c", "a1 a3 b2x b3x c"), ("r[0-1]c[00-01]s[2]", "r0c00s2 r0c01s2 r1c00s2 r1c01s2"),
    ])
    func names(list: String, names: String) {
        #expect(SlurmNodeList.names(list)?.joined(separator: " ") == names)
    }

    @Test(arguments: [
        "", ",", "a,", ",a", "n[", "n]", "n[1", "n1]", "n[]", "n[1-]", "n[-1]", "n[2-1]", "n[a-b]", "n[1-2-3]", "n[1,]",
        "n[1-200000]", "n[1-1000]m[1-1000]", "n[[1-2]]", "../n", "a b", "n[99999999999999999999]",
    ])
    func listsThatAreNone(list: String) {
        #expect(SlurmNodeList.names(list) == nil)
    }

    @Test(arguments: [
        ("40", [40]), ("40,128(x3)", [40, 128, 128, 128]), ("4(x2),3", [4, 4, 3]), ("2(x1),0", [2, 0]),
    ])
    func counts(text: String, counts: [Int]) {
        #expect(SlurmNodeList.counts(text) == counts)
    }

    @Test(arguments: ["", "x", "4(x)", "4(x0)", "4(x2", "4x2", "4,", "-4", "4(x100001)", "99999999999999999999"])
    func countsThatAreNone(text: String) {
        #expect(SlurmNodeList.counts(text) == nil)
    }
}
