/// The tables and views of a run record. ``version`` changes with them.
///
/// A task's row holds its newest attempt, so that a task that ends at its first attempt, as nearly all do, costs one
/// row. Earlier attempts, and reports that came after they had been given up, stand in `attempt`; the view `attempts`
/// has all. Times are seconds since 1970 (UTC), REAL; what is not known is NULL.
///
/// A task's `state` is one of: running; done (return code 0); failed; lost (with its engine, too often); retrying (an
/// attempt ended, another is to come); stopped (by the run's own stop, so not done); abandoned (its driver ended
/// without a word); skipped (an earlier run's result). `run` is the run that last had to do with it.
enum RecordSchema {
    /// `PRAGMA user_version`.
    static let version = 1
    /// `PRAGMA application_id`: "dBat" in ASCII, which file(1) could know.
    static let applicationID = 0x6442_6174

    /// The columns that `task` and `attempt` share after their keys, in order.
    static let attemptColumns = """
        engine, node, cylinder, pid, return_code, signal, start, finish, user_seconds, system_seconds, \
        peak_memory_kib, ending, out_bytes, out_snippet, err_bytes, err_snippet
        """

    private static let attemptDefinitions = """
          engine INTEGER, node TEXT, cylinder INTEGER, pid INTEGER, return_code INTEGER, signal INTEGER,
          start REAL, finish REAL, user_seconds REAL, system_seconds REAL, peak_memory_kib INTEGER,
          ending TEXT, out_bytes INTEGER, out_snippet TEXT, err_bytes INTEGER, err_snippet TEXT
        """

    /// A column named for an instant, as local time for people.
    private static func local(_ column: String) -> String {
        "strftime('%Y-%m-%d %H:%M:%S', \(column), 'unixepoch', 'localtime') AS \(column)"
    }

    static let statements = """
        CREATE TABLE run (
          id INTEGER PRIMARY KEY, start REAL NOT NULL, finish REAL, exit_status INTEGER, summary TEXT,
          total_tasks INTEGER, dropped INTEGER NOT NULL DEFAULT 0, failure TEXT,
          source TEXT, host TEXT, user TEXT, pid INTEGER, version TEXT, working_directory TEXT,
          command_line TEXT, options TEXT);
        CREATE TABLE context (
          run INTEGER NOT NULL, rank INTEGER NOT NULL, label TEXT, kind TEXT, PRIMARY KEY (run, rank)) WITHOUT ROWID;
        CREATE TABLE engine (
          run INTEGER NOT NULL, rank INTEGER NOT NULL, context INTEGER, node TEXT, pid INTEGER, slots INTEGER,
          cores_per_task INTEGER, joined REAL, ended REAL, reason TEXT, PRIMARY KEY (run, rank)) WITHOUT ROWID;
        CREATE TABLE task (
          id INTEGER PRIMARY KEY, line INTEGER NOT NULL, repeat_index INTEGER NOT NULL, state TEXT NOT NULL,
          run INTEGER NOT NULL, attempts INTEGER NOT NULL,
        \(attemptDefinitions), command TEXT);
        CREATE INDEX task_not_done ON task (state) WHERE state <> 'done';
        CREATE TABLE attempt (
          task_id INTEGER NOT NULL, run INTEGER NOT NULL, attempt INTEGER NOT NULL, given_up INTEGER NOT NULL,
        \(attemptDefinitions), PRIMARY KEY (task_id, run, attempt, given_up)) WITHOUT ROWID;
        CREATE TABLE barrier (
          run INTEGER NOT NULL, id INTEGER NOT NULL, line INTEGER, checks INTEGER, key TEXT, met REAL, text TEXT,
          PRIMARY KEY (run, id)) WITHOUT ROWID;
        CREATE TABLE skipped (
          run INTEGER NOT NULL, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL, failed INTEGER NOT NULL,
          PRIMARY KEY (run, first_id)) WITHOUT ROWID;
        CREATE TABLE per_engine (
          run INTEGER NOT NULL, phase TEXT, id INTEGER NOT NULL, line INTEGER,
        \(attemptDefinitions), command TEXT);

        CREATE VIEW attempts AS
          SELECT id AS task_id, run, attempts AS attempt, 0 AS given_up, \(attemptColumns)
          FROM task WHERE state <> 'skipped'
          UNION ALL SELECT task_id, run, attempt, given_up, \(attemptColumns) FROM attempt;
        CREATE VIEW failures AS
          SELECT id, line, repeat_index, state, return_code, ending, attempts, node, \(local("start")),
            round(finish - start, 3) AS seconds, out_snippet, err_snippet, command
          FROM task WHERE state IN ('failed', 'lost') AND state <> 'done';
        CREATE VIEW running AS
          SELECT id, line, repeat_index, attempts AS attempt, node, engine, cylinder, pid, \(local("start")), command
          FROM task WHERE state = 'running' AND state <> 'done';
        CREATE VIEW runs AS
          SELECT id, \(local("start")), \(local("finish")), exit_status, summary,
            CASE WHEN dropped > 0 OR failure IS NOT NULL THEN 'no' ELSE 'yes' END AS complete,
            total_tasks, dropped, failure, source, host, user, pid
          FROM run;
        CREATE VIEW states AS SELECT state, count(*) AS tasks FROM task GROUP BY state;
        """
}
