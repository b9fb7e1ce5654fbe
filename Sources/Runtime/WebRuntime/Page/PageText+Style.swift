extension PageText {
    /// For light and dark screens, wide and narrow ones.
    static let style = """
        :root { --ground: #f6f7f9; --card: #fff; --text: #1c2128; --faint: #59636e; --line: #dde2e8; --block: #f3f5f8;
          --good: #1a7f4b; --bad: #c0313b; --busy: #2f6fd0; --wait: #dfe4ea; --white: #fff; --warn: #8a5a00; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #0e1217; --card: #161b22; --text: #e4e9ef; --faint: #9aa5b1; --line: #2a323c;
            --block: #1e252e; --good: #43b581; --bad: #ff7b80; --busy: #6ea8ff; --wait: #2b343f; --white: #0e1217;
            --warn: #e3b341; }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.25rem 2rem; }
        h1, h2, p, figure, dl, dd { margin: 0; }
        h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; min-width: 0; }
        h2 { font-size: 1rem; font-weight: 600; }
        .faint { color: var(--faint); }
        header { margin-bottom: 1.25rem; }
        header p { overflow-wrap: anywhere; }
        .title { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: baseline; }
        .badge { font-size: .85rem; font-weight: 600; padding: .1rem .65rem; border-radius: 1rem; white-space: nowrap;
          background: var(--wait); color: var(--text); }
        .badge.busy { background: var(--busy); color: var(--white); }
        .badge.good { background: var(--good); color: var(--white); }
        .badge.bad { background: var(--bad); color: var(--white); }
        .notice { border-left: .25rem solid var(--warn); background: var(--card); padding: .6rem .9rem;
          border-radius: .3rem; margin-bottom: 1rem; overflow-wrap: anywhere; white-space: pre-wrap; }
        .notice.bad { border-left: .25rem solid var(--bad); }
        .notice.good { border-left: .25rem solid var(--good); }
        section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.25rem;
          margin-bottom: 1rem; }
        .figure { display: flex; flex-wrap: wrap; gap: 0 .8rem; align-items: baseline; }
        .figure b { font-size: 2.4rem; line-height: 1.1; font-weight: 650; font-variant-numeric: tabular-nums; }
        .bar { display: flex; height: .75rem; border-radius: .4rem; overflow: hidden; background: var(--wait);
          margin-top: .7rem; }
        .bar i { display: block; width: 0; flex: none; }
        #bar-good { background: var(--good); }
        #bar-bad { background: var(--bad); }
        #bar-busy { background: var(--busy); opacity: .75; }
        .tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: .8rem 1rem; margin-top: 1rem; }
        .tiles dt { color: var(--faint); font-size: .85rem; white-space: nowrap; }
        .tiles dd { font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .some { color: var(--bad); }
        #more { margin-top: .7rem; font-size: .9rem; }
        .key { display: inline-block; width: .6rem; height: .6rem; border-radius: .15rem; margin-right: .4rem;
          background: var(--wait); }
        .key.good { background: var(--good); }
        .key.bad { background: var(--bad); }
        .key.busy { background: var(--busy); opacity: .75; }
        .charts { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
        figure { min-width: 0; }
        figcaption { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
        figcaption span { font-size: .85rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
        svg { display: block; width: 100%; height: 9.5rem; margin-top: .4rem; overflow: visible; touch-action: pan-y; }
        svg text { fill: var(--faint); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
        svg .grid { stroke: var(--line); stroke-width: 1; }
        svg .all { fill: var(--good); opacity: .85; }
        svg .lost { fill: var(--bad); }
        svg .run { fill: var(--busy); opacity: .22; }
        svg .edge { fill: none; stroke: var(--busy); stroke-width: 1.75; stroke-linejoin: round; }
        svg .mark { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 3 3; }
        .count { color: var(--faint); font-weight: 400; margin-left: .3rem; }
        article { border-top: 1px solid var(--line); padding: .7rem 0; }
        #failures { margin-top: .6rem; max-height: 32rem; overflow-y: auto; }
        #failures article:last-child { padding-bottom: 0; }
        article p { overflow-wrap: anywhere; }
        article b { color: var(--bad); }
        code, pre { font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere;
          white-space: pre-wrap; }
        pre { background: var(--block); padding: .45rem .7rem; margin: .35rem 0 0; border-radius: .3rem; }
        .command { display: block; margin-top: .35rem; color: var(--faint); }
        .wide { overflow-x: auto; margin-top: .6rem; }
        table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
        th { color: var(--faint); font-weight: 500; font-size: .85rem; }
        th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
        tbody tr:last-child td { border-bottom: 0; }
        .rank { padding-left: 0; color: var(--faint); }
        th:last-child, td:last-child { padding-right: 0; }
        .word { text-align: left; }
        .one-context .context { display: none; }
        td.off { color: var(--faint); }
        td.wrong { color: var(--bad); }
        .held { display: inline-block; min-width: 5.5rem; }
        .slots { display: inline-block; width: 4.5rem; height: .5rem; border-radius: .25rem; overflow: hidden;
          background: var(--wait); margin-right: .6rem; vertical-align: baseline; }
        .slots i { display: block; height: 100%; background: var(--busy); }
        footer { font-size: .85rem; overflow-wrap: anywhere; }
        @media (max-width: 46rem) {
          main { padding: 1rem .75rem 1.5rem; }
          section { padding: .9rem .9rem; }
          .tiles { grid-template-columns: repeat(3, 1fr); }
          .charts { grid-template-columns: 1fr; }
          h1 { font-size: 1.25rem; }
          table { font-size: .85rem; }
          th, td { padding: .35rem .3rem; }
          .heard, .context, .rank { display: none; }
          td.host { max-width: 7.2rem; overflow: hidden; text-overflow: ellipsis; padding-left: 0; }
          th.host { padding-left: 0; }
          .slots { display: none; }
          .held { min-width: 0; }
        }
        """
}
