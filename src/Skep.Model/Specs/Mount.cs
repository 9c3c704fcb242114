namespace Skep.Model.Specs;

public sealed record Mount
{
    /// <summary>bind, volume or tmpfs.</summary>
    public string Type { get; init; } = "";

    /// <summary>A host path (bind), a volume's name (volume; empty = anonymous) or nothing (tmpfs).</summary>
    public string? Source { get; init; }

    public string Target { get; init; } = "";
    public bool? ReadOnly { get; init; }
    public string? Consistency { get; init; }
    public BindOptions? BindOptions { get; init; }
    public VolumeOptions? VolumeOptions { get; init; }
    public TmpfsOptions? TmpfsOptions { get; init; }
}

public sealed record BindOptions
{
    public string? Propagation { get; init; }
    public bool? NonRecursive { get; init; }
    public bool? CreateMountpoint { get; init; }
}

public sealed record VolumeOptions
{
    public bool? NoCopy { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    public string? Subpath { get; init; }
    public Driver? DriverConfig { get; init; }
}

public sealed record TmpfsOptions
{
    public long? SizeBytes { get; init; }

    /// <summary>Permission bits, as a number.</summary>
    public uint? Mode { get; init; }
}
