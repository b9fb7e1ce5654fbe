import DisbatchCore
import EngineHosting
import LinuxSystem
import Options

/// A job that its resource manager started again: its run goes on where the one before was ended.
///
/// Each run notes its job and its command in its context's log, which stands at its prefix. So a default prefix, with
/// a time in it, is found again, and a file of somebody else's is not taken for one's own.
enum RestartedJob {
    /// The note that a run makes; nil outside of jobs.
    static func note(_ plan: ContextPlan, _ configuration: RunConfiguration) -> String? {
        plan.job.map { "run of job \($0): \(ShellWord.line(Array(configuration.commandLine.dropFirst())))" }
    }

    /// The files of the same command's run in this job, before it was started again; the latest, if there are several.
    /// Nil where there is none, or the job is no such one.
    static func earlierFiles(
        _ plan: ContextPlan, _ configuration: RunConfiguration
    ) throws(StartError) -> RunPaths? {
        guard plan.isRestarted, let note = note(plan, configuration) else { return nil }
        return try candidates(plan, configuration).last { files in
            guard RunFiles.identity(of: files.status)?.isRegular == true,
                let log = TextFile.read(files.contextLog(label: plan.label))
            else { return false }
            return log.split(separator: "\n").contains { $0.hasSuffix(" \(note)") }
        }
    }

    /// Prefixes that such a run may have had, in the order of their times.
    private static func candidates(
        _ plan: ContextPlan, _ configuration: RunConfiguration
    ) throws(StartError) -> [RunPaths] {
        let name = configuration.options.taskSource.shortName
        let files = try RunFiles.choose(configuration.options.prefix, taskName: name, time: 0, number: 0)
        guard let directory = RunFiles.absolute(configuration.options.prefix), RunFiles.isDirectory(directory) else {
            return [files]
        }
        let start = Array(RunPaths.ownName(of: name).utf8)
        let end = Array(RunPaths.contextLogEnding(label: plan.label).utf8)
        let path = Array(directory.utf8)
        let names = (try? path.directoryNames()) ?? []
        return names.filter { $0.starts(with: start) && $0.reversed().starts(with: end.reversed()) }
            .map { RunPaths(prefix: path.appending($0.dropLast(end.count)).text) }
    }
}
