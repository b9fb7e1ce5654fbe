extension PageText {
    /// Fills the page. Whatever comes from the run is set as text, never as markup.
    static let script = #"""
        "use strict";
        const byId = id => document.getElementById(id);
        function put(element, text) {
          text = String(text);
          if (element.textContent !== text) element.textContent = text;
        }
        const show = (id, text) => put(byId(id), text);
        const hide = (id, isHidden) => { byId(id).hidden = isHidden; };
        function add(parent, name, kind, text) {
          const element = document.createElement(name);
          if (kind) element.className = kind;
          if (text !== undefined) element.textContent = text;
          return parent.appendChild(element);
        }
        const count = number => number.toLocaleString("en-GB");
        const tenths = value => value < 99.95 ? (Math.round(value * 10) / 10).toString() : count(Math.round(value));
        function duration(seconds) {
          if (seconds < 59.95) return tenths(Math.max(0, seconds)) + " s";
          const whole = Math.round(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
          if (whole < 3600) return minutes + " min " + whole % 60 + " s";
          if (hours < 24) return hours + " h " + minutes % 60 + " min";
          return Math.floor(hours / 24) + " d " + hours % 24 + " h";
        }
        const rate = value => value >= 1 || value === 0 ? tenths(value) + "/s"
          : value * 60 >= 1 ? tenths(value * 60) + "/min" : tenths(value * 3600) + "/h";
        const clock = seconds => new Date(seconds * 1000).toLocaleString("en-GB",
          { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

        let picture = null;

        function showHead(run) {
          show("name", run.name);
          const phase = byId("phase");
          const isWrong = run.trouble !== null || run.exitStatus > 0;
          put(phase, run.trouble !== null ? "cut off" : run.isOver ? "run ended" : run.phase);
          phase.className = "badge " + (isWrong ? "bad" : run.isOver ? "good" : "busy");
          const began = run.start > 0 ? "began " + clock(run.start) + ", " : "";
          show("about", began + (run.isOver ? "took " : "goes on for ") + duration(run.elapsed) + ", on " + run.host);
          document.title = (run.isOver ? "ended" : run.total ? share(run) + " %" : count(run.done)) + " · " + run.name;
          show("footer", "disbatch " + run.version + ", process " + run.pid + " on " + run.host + ", in "
            + run.directory);
        }
        const share = run => run.total ? Math.floor(run.done * 100 / run.total) : 100;

        function notice(text, kind) {
          byId("notice").className = "notice " + kind;
          show("notice", text);
          hide("notice", !text);
        }
        function showNotice(run) {
          if (run.trouble !== null) return notice(run.trouble, "bad");
          if (run.isOver) {
            const how = "Run ended, with exit status " + run.exitStatus + ".";
            return notice(run.summary ? how + "\n" + run.summary : how, run.exitStatus > 0 ? "bad" : "good");
          }
          notice({ draining: "Draining: nothing new starts; the run ends when the running tasks have.",
            stopping: "Stopping: the running tasks are being ended.",
            closing: "All tasks have ended; the engines are closing." }[run.phase] || "", "");
        }

        function showProgress(run) {
          const isKnown = run.total !== null;
          show("share", isKnown ? share(run) + " %" : count(run.done));
          show("counted", isKnown ? count(run.done) + " of " + count(run.total) + " tasks"
            : "tasks done; more may come");
          const part = number => isKnown && run.total > 0 ? Math.min(100, number * 100 / run.total) + "%" : "0%";
          byId("bar-good").style.width = part(run.done - run.failed);
          byId("bar-bad").style.width = part(run.failed);
          byId("bar-busy").style.width = part(run.running);
          byId("bar").setAttribute("aria-valuenow", isKnown ? share(run) : 0);
          hide("bar", !isKnown);
          show("done", count(run.done));
          show("failed", count(run.failed));
          byId("failed").className = run.failed > 0 ? "some" : "";
          show("running", count(run.running));
          show("waiting", run.waiting === null ? "–" : count(run.waiting));
          const average = run.elapsed > 0 ? (run.done - run.skipped) / run.elapsed : 0;
          show("rate", run.isOver ? rate(average) : rate(run.rate));
          show("left-label", run.isOver ? "took" : "time left");
          show("left", run.isOver ? duration(run.elapsed) : run.left === null ? "–" : duration(run.left));
          const more = [];
          if (run.skipped > 0) more.push(count(run.skipped) + " done by an earlier run");
          if (run.retried > 0) more.push(count(run.retried) + " run again");
          if (run.lost > 0) more.push(count(run.lost) + " lost with their engines");
          show("more", more.join(", "));
          hide("more", more.length === 0);
        }

        function showFailures(run) {
          const list = byId("failures");
          const mark = run.failures.map(failure => failure.task + ":" + failure.finish).join();
          if (list.dataset.mark === mark) return;
          list.dataset.mark = mark;
          list.replaceChildren();
          for (const failure of run.failures) {
            const article = add(list, "article");
            const head = add(article, "p");
            add(head, "b", "", failure.code < 0 ? "signal " + -failure.code : "exit status " + failure.code);
            add(head, "span", "", " task " + failure.task + " ");
            add(head, "span", "faint", "line " + failure.line + ", on " + failure.node + ", after "
              + duration(failure.elapsed));
            if (failure.error) add(article, "pre", "", failure.error);
            add(article, "code", "command", failure.command);
          }
          hide("failure-section", run.failures.length === 0);
          const rest = run.failed - run.failures.length;
          show("failure-count", rest > 0 ? run.failures.length + " of " + count(run.failed) : count(run.failed));
        }

        const cellKinds = ["rank", "word host", "word context", "word", "word heard", "use", "", ""];
        function makeRow(table) {
          const row = add(table, "tr");
          row.cells_ = cellKinds.map(kind => add(row, "td", kind));
          const use = row.cells_[5];
          row.level = add(add(use, "span", "slots"), "i");
          row.use = add(use, "span", "held");
          return row;
        }
        function showEngine(row, engine) {
          const cells = row.cells_, isOff = engine.state !== "active" && engine.state !== "leaving";
          put(cells[0], engine.rank);
          put(cells[1], engine.node);
          cells[1].title = engine.node;
          put(cells[2], engine.context);
          put(cells[3], engine.state);
          cells[3].className = engine.state === "lost" ? "word wrong" : isOff ? "word off" : "word";
          put(cells[4], engine.heard === "-" ? "–" : engine.heard);
          put(row.use, engine.running + " of " + engine.slots);
          row.level.style.width = (engine.slots > 0 ? engine.running * 100 / engine.slots : 0) + "%";
          put(cells[6], count(engine.finished));
          put(cells[7], count(engine.failed));
          cells[7].className = engine.failed > 0 ? "wrong" : "";
        }
        function showEngines(run) {
          const table = byId("engines");
          while (table.rows.length > run.engines.length) table.deleteRow(-1);
          while (table.rows.length < run.engines.length) makeRow(table);
          run.engines.forEach((engine, index) => showEngine(table.rows[index], engine));
          const contexts = new Set(run.engines.map(engine => engine.context));
          byId("engine-section").classList.toggle("one-context", contexts.size < 2);
          hide("engine-section", run.engines.length === 0);
          show("engine-count", run.isOver ? count(run.engines.length + run.moreEngines) : run.liveEngines + " live");
          show("more-engines", "and " + count(run.moreEngines) + " more");
          hide("more-engines", run.moreEngines === 0);
        }
        """# + "\n" + chartScript + "\n" + streamScript

    /// Listens to the run. The browser tries again by itself when the connection breaks.
    private static let streamScript = #"""
        function showAll() {
          if (!picture) return;
          showHead(picture);
          showNotice(picture);
          showProgress(picture);
          showFailures(picture);
          showEngines(picture);
          showCharts(picture);
        }
        function listen() {
          const source = new EventSource("events");
          source.addEventListener("picture", event => {
            picture = JSON.parse(event.data);
            if (picture.isOver || picture.trouble !== null) source.close();
            showAll();
            document.documentElement.dataset.pictures = Number(document.documentElement.dataset.pictures || 0) + 1;
          });
          source.onerror = () => {
            notice("The connection to the run is lost; trying again. What is shown is how it was.", "");
            if (source.readyState === EventSource.CLOSED) { source.close(); setTimeout(listen, 3000); }
          };
        }
        window.addEventListener("resize", showAll);
        listen();
        """#
}
