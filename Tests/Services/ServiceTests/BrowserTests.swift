import TestSupport
import Testing

@testable import EndToEndSupport

/// The run's page in a real browser.
@Suite(.blocking, .serialized) struct BrowserTests {
    @Test func thePageShowsARunToItsEnd() throws {
        try Sandbox.with { box in
            let hostile = "echo '<img src=x onerror=\"document.title=1\"></pre><script>top.x=1</script>' >&2; exit 3\n"
            let held = "until [ -e gate.$DISBATCH_TASKID ]; do sleep 0.01; done\n"
            try box.write("tasks.txt", hostile + held + held)
            let driver = try box.start(["-s", "localhost:2", "-w", "-p", "run", "tasks.txt"])
            try box.wait(for: "the page's address") { box.exists("run_url") }
            let browser = try Browser(box)
            try browser.open(try box.lines(of: "run_url")[0])

            try browser.wait(for: "document.getElementById('running')?.textContent === '2'")
            #expect(try browser.text(of: "name") == "run")
            #expect(try browser.text(of: "phase") == "running")
            #expect(try browser.text(of: "counted") == "1 of 3 tasks")
            #expect(try browser.text(of: "failed") == "1")
            #expect(try browser.text(of: "engines").contains("2 of 2"))
            // Texts are texts.
            #expect(try browser.text(of: "failures").contains("<img src=x onerror="))
            #expect(try browser.value(of: "document.querySelectorAll('img, #failures script').length") == "0")
            #expect(try browser.value(of: "window.x") == "undefined")
            #expect(try browser.value(of: "document.title") == "33 % · run")

            try box.write("gate.1", "")
            try browser.wait(for: "document.getElementById('done').textContent === '2'")
            #expect(try browser.text(of: "running") == "1")
            try browser.wait(for: "document.querySelectorAll('#rate-chart rect').length > 0")
            try fits(browser)

            try box.write("gate.2", "")
            #expect(try driver.wait(within: 30).status == 0)
            try browser.wait(for: "document.getElementById('phase').textContent === 'run ended'")
            #expect(try browser.text(of: "share") == "100 %")
            #expect(try browser.text(of: "notice").hasPrefix("Run ended, with exit status 0."))
            #expect(try browser.text(of: "notice").contains("3 tasks ended, 1 failed"))
            try browser.quit()
        }
    }

    /// On a phone nothing is cut off; and a dark screen stays dark.
    private func fits(_ browser: Browser) throws {
        var grounds: Set<String> = []
        for (width, isDark) in [(1200, false), (390, false), (390, true)] {
            try browser.show(width: width, isDark: isDark)
            try browser.wait(for: "window.innerWidth === \(width)")
            #expect(try browser.value(of: "document.documentElement.scrollWidth <= \(width)") == "true", "\(width)")
            #expect(
                try browser.value(
                    of: "[...document.querySelectorAll('.wide')].every(w => w.scrollWidth <= w.clientWidth)")
                    == "true", "\(width)")
            grounds.insert(try browser.value(of: "getComputedStyle(document.body).backgroundColor"))
        }
        #expect(grounds.count == 2, "\(grounds)")
    }

    @Test func aPageWhoseRunIsCutOffSaysSo() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "until [ -e gate ]; do sleep 0.01; done\n")
            let driver = try box.start(["-s", "localhost:1", "-w", "-p", "run", "tasks.txt"])
            try box.wait(for: "the page's address") { box.exists("run_url") }
            let browser = try Browser(box)
            try browser.open(try box.lines(of: "run_url")[0])
            try browser.wait(for: "document.getElementById('running')?.textContent === '1'")
            driver.signal(9)
            try browser.wait(for: "document.getElementById('phase').textContent === 'cut off'")
            #expect(try browser.text(of: "notice").contains("-r continues the run"))
            try browser.quit()
            _ = try driver.wait(within: 10)
        }
    }
}
