using Microsoft.Extensions.Logging;
using Skep.Agent.Runtime.Spec;
using Skep.Agent.Runtime.Stdio;
using Skep.Agent.Volumes;

namespace Skep.Agent.Runtime;

/// <summary>What every container of one runtime shares.</summary>
internal sealed record RuntimeParts(RuntimeOptions Options, ContainerdClient Client, FifoReactor Reactor, VolumeStore Volumes, TimeProvider Clock, ILogger Logger)
{
    public ContainerEventHub Events { get; } = new();
    public CgroupKind Cgroup { get; } = CgroupMounts.Detect();

    /// <summary>Set when the runtime goes away and the containers stay.</summary>
    public CancellationTokenSource Closing { get; } = new();

    public string ContainersRoot => Path.Combine(Options.DataRoot, "containers");
    public string FifoRoot => Path.Combine(Options.RunRoot, "fifo");
}
