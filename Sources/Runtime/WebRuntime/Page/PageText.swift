/// The page: one file that needs no other. Its script fills it with what the run is like.
enum PageText {
    /// The page's HTML.
    ///
    /// - Parameter nonce: what ``PageHeaders/policy(nonce:)`` marks script and style with.
    static func html(nonce: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>disbatch</title>
        <style nonce="\(nonce)">
        \(style)
        </style>
        </head>
        \(body)
        <script nonce="\(nonce)">
        \(script)
        </script>
        </html>

        """
    }

    private static let body = """
        <body>
        <main>
        <header>
        <div class="title"><h1 id="name">disbatch</h1><span id="phase" class="badge">connecting</span></div>
        <p id="about" class="faint"></p>
        </header>
        <p id="notice" class="notice" role="status" hidden></p>
        <section aria-label="Progress">
        <div class="figure"><b id="share">–</b><span id="counted" class="faint">waiting for the driver</span></div>
        <div id="bar" class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100">
        <i id="bar-good"></i><i id="bar-bad"></i><i id="bar-busy"></i>
        </div>
        <dl class="tiles">
        <div><dt><i class="key good"></i>done</dt><dd id="done">–</dd></div>
        <div><dt><i class="key bad"></i>failed</dt><dd id="failed">–</dd></div>
        <div><dt><i class="key busy"></i>running</dt><dd id="running">–</dd></div>
        <div><dt><i class="key"></i>waiting</dt><dd id="waiting">–</dd></div>
        <div><dt>rate</dt><dd id="rate">–</dd></div>
        <div><dt id="left-label">time left</dt><dd id="left">–</dd></div>
        </dl>
        <p id="more" class="faint" hidden></p>
        </section>
        <section id="charts" class="charts" hidden>
        <figure>
        <figcaption><h2>Tasks ended</h2><span id="rate-now" class="faint"></span></figcaption>
        <svg id="rate-chart" role="img" aria-label="Tasks that ended, over time"></svg>
        </figure>
        <figure>
        <figcaption><h2>Tasks running</h2><span id="running-now" class="faint"></span></figcaption>
        <svg id="running-chart" role="img" aria-label="Running tasks, over time"></svg>
        </figure>
        </section>
        <section id="failure-section" hidden>
        <h2>Latest failures <span id="failure-count" class="count"></span></h2>
        <div id="failures"></div>
        </section>
        <section id="engine-section" hidden>
        <h2>Engines <span id="engine-count" class="count"></span></h2>
        <div class="wide"><table>
        <thead><tr><th class="rank">#</th><th class="word host">host</th><th class="word context">context</th>
        <th class="word">state</th>
        <th class="word heard">heard</th><th class="use">running</th><th>done</th><th>failed</th></tr></thead>
        <tbody id="engines"></tbody>
        </table></div>
        <p id="more-engines" class="faint" hidden></p>
        </section>
        <footer id="footer" class="faint"></footer>
        </main>
        </body>
        """
}
