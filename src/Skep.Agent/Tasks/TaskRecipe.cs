using Skep.Agent.Runtime;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;

namespace Skep.Agent.Tasks;

/// <summary>What a task means for the runtime and for the network. Pure.</summary>
internal static class TaskRecipe
{
    private const string LabelPrefix = "com.docker.swarm.";
    private static readonly TimeSpan s_defaultGrace = TimeSpan.FromSeconds(10);

    /// <exception cref="ClusterException">InvalidArgument: the specification cannot be run; the task is rejected with the sentence.</exception>
    public static ContainerRecipe Container(SwarmTask task, SwarmNode node, Sandbox? sandbox)
    {
        var spec = task.Spec.ContainerSpec
            ?? throw ClusterException.Invalid("this task has no container specification; only containers can be run");
        var template = new TaskTemplate(task, node);
        return new ContainerRecipe
        {
            Id = ContainerId.Of(task.Id),
            Name = task.Name,
            Image = spec.Image ?? throw ClusterException.Invalid("the task names no image"),
            Labels = Labels(task, spec),
            Entrypoint = spec.Command is { Count: > 0 } ? spec.Command : null,
            Command = spec.Args is { Count: > 0 } ? spec.Args : null,
            Env = [.. (spec.Env ?? []).Select(template.Expand)],
            WorkingDir = spec.Dir,
            User = spec.User,
            Groups = spec.Groups ?? [],
            Hostname = spec.Hostname is { Length: > 0 } hostname ? template.Expand(hostname) : null,
            Tty = spec.TTY ?? false,
            OpenStdin = spec.OpenStdin ?? false,
            ReadOnlyRoot = spec.ReadOnly ?? false,
            Init = spec.Init ?? false,
            StopSignal = spec.StopSignal,
            StopGracePeriod = spec.StopGracePeriod is { } grace ? TimeSpan.FromMicroseconds(grace / 1000.0) : s_defaultGrace,
            Mounts = [.. (spec.Mounts ?? []).Select(m => m with { Source = m.Source is null ? null : template.Expand(m.Source), Target = template.Expand(m.Target) })],
            Hosts = Hosts(spec, task, template, sandbox),
            Limits = task.Spec.Resources?.Limits,
            Sysctls = spec.Sysctls ?? new Dictionary<string, string>(),
            CapabilityAdd = spec.CapabilityAdd ?? [],
            CapabilityDrop = spec.CapabilityDrop ?? [],
            Ulimits = spec.Ulimits ?? [],
            OomScoreAdj = spec.OomScoreAdj,
            Seccomp = spec.Privileges?.Seccomp,
            NoNewPrivileges = spec.Privileges?.NoNewPrivileges ?? false,
            Healthcheck = spec.Healthcheck,
            LogDriver = task.Spec.LogDriver ?? task.LogDriver,
            NetworkNamespace = sandbox?.NamespacePath,
            ResolvConf = sandbox?.ResolvConf,
        };
    }

    /// <summary>Null while the plan does not yet tell of one of the task's networks.</summary>
    public static SandboxRequest? Sandbox(SwarmTask task, NodePlan plan)
    {
        var attachments = new List<SandboxAttachment>();
        foreach (var attachment in task.Attachments)
        {
            if (!plan.Networks.TryGetValue(attachment.NetworkId, out var network))
            {
                return null;
            }

            attachments.Add(new SandboxAttachment(network.Network, attachment.Addresses));
        }

        return new SandboxRequest(ContainerId.Of(task.Id), task.Id)
        {
            ServiceId = task.ServiceId,
            Name = task.Name,
            Attachments = attachments,
            HostPorts = [.. (task.Endpoint?.Ports ?? []).Where(p => p.PublishMode == PortConfig.Host)],
            Dns = task.Spec.ContainerSpec?.DNSConfig ?? new DnsConfig(),
        };
    }

    private static Dictionary<string, string> Labels(SwarmTask task, ContainerSpec spec) => new(spec.Labels ?? new Dictionary<string, string>())
    {
        [LabelPrefix + "task"] = "",
        [LabelPrefix + "task.id"] = task.Id,
        [LabelPrefix + "task.name"] = task.Name,
        [LabelPrefix + "node.id"] = task.NodeId,
        [LabelPrefix + "service.id"] = task.ServiceId,
        [LabelPrefix + "service.name"] = task.ServiceName,
    };

    /// <summary>
    /// The task's own addresses with its host name, then what the user listed. A task without networks has the gateway bridge's
    /// address alone; programs that look up their own name find that one.
    /// </summary>
    private static List<string> Hosts(ContainerSpec spec, SwarmTask task, TaskTemplate template, Sandbox? sandbox)
    {
        var hostname = spec.Hostname is { Length: > 0 } given ? template.Expand(given) : ContainerId.Short(ContainerId.Of(task.Id));
        var addresses = task.Attachments.SelectMany(a => a.Addresses).ToList();
        if (addresses.Count == 0)
        {
            addresses = [.. sandbox?.Interfaces.SelectMany(i => i.Addresses) ?? []];
        }

        var own = addresses.Select(address => $"{address.Split('/')[0]} {hostname}");
        return [.. own, .. spec.Hosts ?? []];
    }
}
