extension PageText {
    /// Draws how many tasks ended and ran, over time.
    static let chartScript = #"""
        const chartHeight = 150, chartTop = 18, chartBottom = 128;
        function draw(parent, name, attributes, text) {
          const element = document.createElementNS("http://www.w3.org/2000/svg", name);
          for (const key in attributes) element.setAttribute(key, attributes[key]);
          if (text !== undefined) element.textContent = text;
          return parent.appendChild(element);
        }
        /* The next round number. */
        function roundUp(value) {
          const power = Math.pow(10, Math.floor(Math.log10(value)));
          return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(step => step * power).find(step => step >= value * 0.999);
        }
        /* What happened between samples, so many together that the chart has 60 steps at most. */
        function periods(history) {
          const step = Math.max(1, Math.ceil((history.length - 1) / 60)), found = [];
          for (let index = 0; index + 1 < history.length; index += step) {
            const from = history[index], to = history[Math.min(history.length - 1, index + step)];
            const seconds = to[0] - from[0];
            if (seconds <= 0) continue;
            found.push({ from: from[0], to: to[0], all: (to[1] - from[1]) / seconds,
              failed: (to[3] - from[3]) / seconds });
          }
          return found;
        }
        function frame(svg, from, to, most, label) {
          const width = svg.clientWidth || 400;
          svg.setAttribute("viewBox", "0 0 " + width + " " + chartHeight);
          svg.replaceChildren();
          for (const level of [0, 0.5, 1]) {
            const y = chartBottom - level * (chartBottom - chartTop);
            draw(svg, "line", { class: "grid", x1: 0, x2: width, y1: y, y2: y });
          }
          draw(svg, "text", { x: 0, y: chartTop - 5 }, label(most));
          draw(svg, "text", { x: 0, y: chartHeight - 4 }, duration(from));
          draw(svg, "text", { x: width, y: chartHeight - 4, "text-anchor": "end" }, duration(to));
          return { width, x: time => to > from ? (time - from) / (to - from) * width : 0,
            y: value => chartBottom - value / most * (chartBottom - chartTop) };
        }
        /* Says what was at the time that is pointed at, and now where none is. */
        function point(svg, caption, plot, from, to, words) {
          put(caption, words(null));
          svg.onpointermove = event => {
            const share = (event.clientX - svg.getBoundingClientRect().left) / plot.width;
            const time = from + Math.min(1, Math.max(0, share)) * (to - from);
            put(caption, words(time));
            svg.querySelector(".mark")?.remove();
            draw(svg, "line", { class: "mark", x1: plot.x(time), x2: plot.x(time), y1: chartTop, y2: chartBottom });
          };
          svg.onpointerleave = () => {
            svg.querySelector(".mark")?.remove();
            put(caption, words(null));
          };
        }
        function showRate(run, history) {
          const svg = byId("rate-chart"), steps = periods(history);
          const from = history[0][0], to = history[history.length - 1][0];
          const plot = frame(svg, from, to, roundUp(Math.max(1 / 60, ...steps.map(step => step.all))), rate);
          for (const step of steps) {
            const x = plot.x(step.from), width = Math.max(0.5, plot.x(step.to) - x - (steps.length > 40 ? 0.5 : 1));
            for (const [kind, value] of [["all", step.all], ["lost", step.failed]]) {
              if (value > 0) {
                draw(svg, "rect", { class: kind, x, width, y: plot.y(value), height: chartBottom - plot.y(value) });
              }
            }
          }
          point(svg, byId("rate-now"), plot, from, to, time => {
            if (time === null) return run.isOver ? "" : rate(run.rate) + " of late";
            const step = steps.find(step => time <= step.to) || { all: 0, failed: 0 };
            return rate(step.all) + (step.failed > 0 ? ", " + rate(step.failed) + " failed" : "") + " at "
              + duration(time);
          });
        }
        function showRunning(run, history) {
          const svg = byId("running-chart");
          const from = history[0][0], to = history[history.length - 1][0];
          const most = Math.max(1, ...history.map(sample => sample[2]));
          const plot = frame(svg, from, to, most <= 10 ? most : roundUp(most), count);
          const line = history.map((sample, index) => (index ? "H" + plot.x(sample[0]) + "V" : "M" + plot.x(sample[0])
            + " ") + plot.y(sample[2])).join("");
          draw(svg, "path", { class: "run", d: line + "V" + chartBottom + "H0Z" });
          draw(svg, "path", { class: "edge", d: line });
          point(svg, byId("running-now"), plot, from, to, time => {
            if (time === null) return run.isOver ? "" : count(run.running) + " now";
            const sample = history.filter(sample => sample[0] <= time).pop() || history[0];
            return count(sample[2]) + " at " + duration(time);
          });
        }
        function showCharts(run) {
          const history = run.history;
          const isEnough = history.length > 2 && history[history.length - 1][0] > history[0][0];
          hide("charts", !isEnough);
          if (!isEnough) return;
          showRate(run, history);
          showRunning(run, history);
        }
        """#
}
