import Testing

@testable import DisbatchCore

@Suite("Civil time")
struct CivilTimeTests {
    @Test(
        "counts the seconds since 1970, leap days too",
        arguments: [
            ("1970-01-01T00:00:00", 0), ("1970-01-01T00:00:01", 1), ("1970-12-31T23:59:59", 31_535_999),
            ("1999-12-31T23:59:59", 946_684_799), ("2000-01-01T00:00:00", 946_684_800),
            ("2000-02-29T12:00:00", 951_825_600), ("2000-03-01T00:00:00", 951_868_800),
            ("2023-11-14T22:13:20", 1_700_000_000), ("2024-02-29T00:00:00", 1_709_164_800),
            ("2026-11-21T10:00:00", 1_795_255_200), ("2100-02-28T23:59:59", 4_107_542_399),
            ("2100-03-01T00:00:00", 4_107_542_400), ("9999-12-31T23:59:59", 253_402_300_799),
        ])
    func seconds(text: String, seconds: Int) throws {
        let time = try #require(CivilTime(text))
        #expect(time.secondsSince1970 == seconds)
        #expect(AllocationEnd.utc(time).secondsSince1970 == seconds)
    }

    @Test("each day has its number", arguments: [1970, 1999, 2000, 2023, 2024, 2100, 2400])
    func days(year: Int) throws {
        let isLeap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var expected = try #require(CivilTime("\(year)-01-01T00:00:00")).secondsSince1970
        for (month, length) in lengths.enumerated() {
            for day in 1...length {
                let time = try #require(CivilTime("\(year)-\(month + 1)-\(day)T00:00:00"))
                #expect(time.secondsSince1970 == expected, "\(time)")
                expected += 86_400
            }
        }
        #expect(try #require(CivilTime("\(year + 1)-01-01T00:00:00")).secondsSince1970 == expected)
    }

    @Test("an end that never comes has no time")
    func never() {
        #expect(AllocationEnd.never.secondsSince1970 == nil)
        #expect(AllocationEnd.seconds(7).secondsSince1970 == 7)
    }
}
