namespace Skep.Agent.Runtime.Spec;

/// <summary>What the kernel is told about a process before it runs. Kept with the container, because every exec starts from it.</summary>
public sealed record ProcessSettings
{
    public uint Uid { get; init; }
    public uint Gid { get; init; }
    public IReadOnlyList<uint> AdditionalGids { get; init; } = [];
    public IReadOnlyList<string> Env { get; init; } = [];
    public string WorkingDir { get; init; } = "/";
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public IReadOnlyList<Model.Specs.Ulimit> Ulimits { get; init; } = [];
    public bool NoNewPrivileges { get; init; }
    public long? OomScoreAdj { get; init; }
    public bool Tty { get; init; }
}

/// <summary>One entry of the container's mount table; options as mount(8) has them.</summary>
public sealed record SpecMount(string Destination, string Type, string Source, IReadOnlyList<string> Options);
