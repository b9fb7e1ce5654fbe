import Foundation
import TestSupport
import Testing

@testable import RunReports

/// The page, read by Python's parser: every element closed, nothing of the tasks taken for markup, nothing loaded.
@Suite(.blocking) struct ReportPageTests {
    private let checker = """
        import html.parser, sys
        void = {'meta', 'path', 'line', 'rect'}  # Those of SVG are closed in themselves.
        class Page(html.parser.HTMLParser):
            open, text, seen = [], '', []
            def handle_starttag(self, tag, attributes):
                self.seen.append(tag)
                for name, value in attributes:
                    assert name not in ('src', 'href', 'onclick', 'onerror'), name
                if tag != 'meta': self.open.append(tag)
            def handle_startendtag(self, tag, attributes):
                assert tag in void, tag
                self.seen.append(tag)
            def handle_endtag(self, tag):
                assert self.open.pop() == tag, tag
            def handle_data(self, data): self.text += data
        page = Page()
        text = sys.stdin.read()
        page.feed(text)
        page.close()
        assert page.open == [], page.open
        assert 'script' not in page.seen and 'img' not in page.seen and 'url(' not in text and '@import' not in text
        assert 'prefers-color-scheme: dark' in text and 'width=device-width' in text
        print(page.seen.count('svg'))
        print(page.text)
        """

    private let evil = "<script>alert('x')</script><img src=x onerror=\"a\">&amp;\u{1b}"

    @Test func everythingIsEscapedAndClosed() throws {
        var rows = (0..<30).map { task($0, seconds: 2, command: "sleep") }
        rows.append(task(30, seconds: 80, command: evil))
        for id in 31..<36 {
            var row = failed(id, node: evil, error: evil)
            row.command = Array(evil.utf8)
            rows.append(row)
        }
        let page = ReportPage(report(rows) { $0.prefix = "/tmp/" + evil.filter { $0 != "/" } }) { "at \($0)" }.text
        let result = try Tool.run([try python(), "-c", checker], input: page)
        #expect(result.status == 0, "\(result.errorText)\n\(page)")
        #expect(result.text.hasPrefix("3\n"), "three charts: \(result.text.prefix(10))")
        #expect(result.text.contains("<script>alert('x')</script><img src=x onerror=\"a\">&amp;\u{241b}"))
        #expect(result.text.contains("Stragglers") && result.text.contains("Likely") == false)
    }

    @Test(arguments: [[], [task(0)], [task(0, .waiting)], [task(0, .running)], [failed(0, code: 127)]])
    func smallRunsHaveAPage(rows: [TaskRow]) throws {
        let page = ReportPage(report(rows)) { "at \($0)" }.text
        let result = try Tool.run([try python(), "-c", checker], input: page)
        #expect(result.status == 0, "\(result.errorText)")
        #expect(!page.contains("nan") && !page.contains("inf"))
    }
}
