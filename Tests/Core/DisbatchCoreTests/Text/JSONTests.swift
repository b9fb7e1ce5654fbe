import Testing

@testable import DisbatchCore

struct JSONTests {
    @Test(
        arguments: [
            ("null", JSONValue.null), (" [ ] ", []), ("{}", .object([])), ("true", true), ("-0", 0), ("12", 12),
            ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("1.5e2", .number(150)), ("\"a\\n\\u00e9\\\"\\/\"", "a\né\"/"), ("\"\\ud83d\\ude00\"", "😀"),
            ("\"\\ud83d\"", "\u{FFFD}"),
            ("{\"b\":[1,{\"a\":false}],\"a\":null}", ["b": [1, ["a": false]], "a": .null]),
        ] as [(String, JSONValue)])
    func reads(text: String, expected: JSONValue) { #expect(JSONValue(parsing: text) == expected) }

    @Test(arguments: [
        "", "[", "[1,]", "{\"a\"}", "{a:1}", "01", "1.", "-", "+1", "tru", "\"a", "\"\u{1}\"", "\"\\x\"", "\"\\u12\"",
        "1 2",
        "[1}", "{\"a\":1,}", "\"\\u+123\"", "nul", ".5", "1e", "1e999",
    ])
    func refuses(text: String) { #expect(JSONValue(parsing: text) == nil) }

    @Test func refusesWhatNestsTooDeep() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(JSONValue(parsing: nested(100)) != nil)
        #expect(JSONValue(parsing: nested(101)) == nil)
        #expect(JSONValue(parsing: nested(1_000_000)) == nil)
    }

    @Test func refusesBytesThatAreNoText() { #expect(JSONValue(parsing: [0x22, 0xFF, 0x22]) == nil) }

    @Test func writesWhatItReads() throws {
        let value: JSONValue = ["z": [1, "a\"\\\n\u{1}é", .number(0.5), true, .null], "a": .object([]), "l": []]
        let text = value.text()
        #expect(text == #"{"z":[1,"a\"\\\n\u0001é",0.5,true,null],"a":{},"l":[]}"#)
        #expect(JSONValue(parsing: text) == value)
        #expect(JSONValue(parsing: value.text(isPretty: true)) == value)
        #expect(value.text(isPretty: true).hasPrefix("{\n  \"z\": [\n    1,\n"))
    }

    @Test func layouts() {
        let value: JSONValue = ["a": [1, [], ["b": 2]], "c": .object([])]
        #expect(value.text(.compact) == #"{"a":[1,[],{"b":2}],"c":{}}"#)
        #expect(value.text(.spaced) == #"{"a": [1, [], {"b": 2}], "c": {}}"#)
        #expect(value.text(.lines(depth: 1)) == "{\n  \"a\": [1, [], {\"b\": 2}],\n  \"c\": {}\n}")
        #expect(
            value.text(.lines(depth: 2))
                == "{\n  \"a\": [\n    1,\n    [],\n    {\"b\": 2}\n  ],\n  \"c\": {}\n}")
    }

    @Test func whatIsUnknownIsNull() {
        #expect(JSONValue(nil as Int?) == .null && JSONValue(3) == 3 && JSONValue(nil as String?) == .null)
        #expect(JSONValue(rounded: 1.23456) == .number(1.235) && JSONValue(rounded: .nan) == .null)
        #expect(JSONValue(rounded: nil) == .null && JSONValue(rounded: 1e15) == .null)
        #expect(JSONValue(Timestamp(microseconds: 1_500_000)) == .number(1.5))
    }

    @Test func aNumberThatIsTooLargeMayBeForgiven() {
        #expect(JSONValue(parsing: Array("[1e999]".utf8), forgivesNumbers: true) == [.null])
    }

    @Test func aRunFileIsALineForEachMember() {
        var file = RunFileText(
            name: "r\t", version: "1", host: "h", pid: 5, start: Timestamp(microseconds: 1_764_000_000_500_000),
            workingDirectory: "/d")
        file.addresses = ["h:1", "h:2"]
        file.exitStatus = 0
        #expect(
            file.json == #"""
                {
                  "format": 1,
                  "name": "r\t",
                  "version": "1",
                  "host": "h",
                  "pid": 5,
                  "start": 1764000000.500,
                  "working_directory": "/d",
                  "addresses": ["h:1", "h:2"],
                  "exit_status": 0
                }

                """#)
    }

    @Test func numbersMayBeTexts() {
        #expect(JSONValue.string("12").integer == 12)
        #expect(JSONValue.number(3).integer == 3)
        #expect(JSONValue.number(3.5).integer == nil)
        #expect(JSONValue.null["a"]["b"].string == nil)
    }
}

struct CloudErrorKindTests {
    @Test(
        arguments: [
            (503, ["ZONE_RESOURCE_POOL_EXHAUSTED"], CloudErrorKind.resourcesExhausted),
            (nil, ["ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"], .resourcesExhausted),
            (nil, ["QUOTA_EXCEEDED"], .quota), (403, ["quotaExceeded"], .quota),
            (403, ["rateLimitExceeded", "PERMISSION_DENIED"], .rateLimited), (429, [], .rateLimited),
            (403, ["forbidden", "PERMISSION_DENIED"], .permission), (403, [], .permission),
            (401, ["authError", "UNAUTHENTICATED"], .credentials), (404, ["notFound"], .notFound),
            (409, ["alreadyExists"], .conflict), (400, ["invalid"], .invalid), (400, ["something new"], .invalid),
            (500, ["backendError"], .server), (502, [], .server), (302, [], .transport), (nil, [], .server),
            (403, ["forbidden", "quotaExceeded"], .quota),
        ] as [(Int?, [String], CloudErrorKind)])
    func kinds(status: Int?, codes: [String], expected: CloudErrorKind) {
        #expect(CloudErrorKind(status: status, codes: codes, message: "") == expected)
    }

    @Test func aMessageMayTellOfAShortage() {
        let message = "The zone 'z' does not have enough resources available to fulfill the request."
        #expect(CloudErrorKind(status: 400, codes: ["UNKNOWN"], message: message) == .resourcesExhausted)
    }
}
