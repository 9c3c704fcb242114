using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>What a service's specification must keep to, whatever else is in the cluster. All problems of a request are found at once.</summary>
public static partial class ServiceRules
{
    private const int LongestName = 63;

    public static ImmutableArray<Problem> Check(ServiceSpec spec)
    {
        var problems = ImmutableArray.CreateBuilder<Problem>();
        CheckName(spec.Name, problems);
        TaskRules.Check(spec.TaskTemplate, problems);
        CheckUpdate(spec.UpdateConfig, problems);
        CheckUpdate(spec.RollbackConfig, problems);
        EndpointRules.Check(spec.EndpointSpec, problems);
        CheckMode(spec.Mode, problems);
        ServiceLabels.Check(spec, problems);
        return problems.ToImmutable();
    }

    /// <summary>What Swarm does and this version does not; null when there is nothing of that.</summary>
    public static string? Unsupported(ServiceSpec spec) => spec switch
    {
        { Mode.ReplicatedJob: not null } or { Mode.GlobalJob: not null } => "jobs are not done by this version; use a replicated or a global service",
        { UpdateConfig.FailureAction: { Length: > 0 } and not "pause" } =>
            $"update failure action \"{spec.UpdateConfig.FailureAction}\" is not done by this version; it pauses",
        { TaskTemplate.ContainerSpec.Secrets.Count: > 0 } => "secrets are not done by this version",
        { TaskTemplate.ContainerSpec.Configs.Count: > 0 } => "configs are not done by this version",
        { TaskTemplate.Runtime: { Length: > 0 } and not "container" } => $"task runtime \"{spec.TaskTemplate.Runtime}\" is not done by this version",
        _ => null,
    };

    private static void CheckName(string name, ImmutableArray<Problem>.Builder problems)
    {
        if (name.Length == 0)
        {
            problems.Add(new Problem("meta: name must be provided"));
        }
        else if (!NameForm().IsMatch(name))
        {
            problems.Add(new Problem("name must be valid as a DNS name component"));
        }
        else if (name.Length > LongestName)
        {
            problems.Add(new Problem("name must be 63 characters or fewer"));
        }
    }

    private static void CheckUpdate(UpdateConfig? config, ImmutableArray<Problem>.Builder problems)
    {
        if (config is null)
        {
            return;
        }

        if (config.Delay < 0)
        {
            problems.Add(new Problem("TaskSpec: update-delay cannot be negative"));
        }

        if (config.Monitor < 0)
        {
            problems.Add(new Problem("TaskSpec: update-monitor cannot be negative"));
        }

        if (config.MaxFailureRatio is < 0 or > 1)
        {
            problems.Add(new Problem("TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1"));
        }

        if (config.FailureAction is not (null or "" or "pause" or "continue" or "rollback"))
        {
            problems.Add(new Problem($"unrecognized update failure action {config.FailureAction}", Word: true));
        }

        if (config.Order is not ("" or "stop-first" or "start-first"))
        {
            problems.Add(new Problem($"unrecognized update order {config.Order}", Word: true));
        }
    }

    private static void CheckMode(ServiceMode mode, ImmutableArray<Problem>.Builder problems)
    {
        var set = new object?[] { mode.Replicated, mode.Global, mode.ReplicatedJob, mode.GlobalJob }.Count(m => m is not null);
        if (set > 1)
        {
            problems.Add(new Problem("must specify only one service mode", Word: true));
        }

        if (mode.Replicated?.Replicas > long.MaxValue)
        {
            problems.Add(new Problem("Number of replicas must be non-negative"));
        }
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex NameForm();
}
