namespace Skep.EngineApi.Containers;

/// <summary>GET /containers/{ref}/stats: a sample and the one before it. Times of processors are in nanoseconds, memory in bytes.</summary>
public sealed record ContainerStats(string Name, string Id, DateTimeOffset Read)
{
    public DateTimeOffset Preread { get; init; }
    public PidsStats PidsStats { get; init; } = new(null, null);
    public BlkioStats BlkioStats { get; init; } = new([]);
    public CpuStats CpuStats { get; init; } = new();
    public CpuStats PrecpuStats { get; init; } = new();
    public MemoryStats MemoryStats { get; init; } = new();
    public IReadOnlyDictionary<string, InterfaceStats>? Networks { get; init; }
}

public sealed record PidsStats(ulong? Current, ulong? Limit);

public sealed record BlkioStats(IReadOnlyList<BlkioEntry> IoServiceBytesRecursive);

/// <summary>Op is read or write.</summary>
public sealed record BlkioEntry(ulong Major, ulong Minor, string Op, ulong Value);

public sealed record CpuStats
{
    public CpuUsage CpuUsage { get; init; } = new(0, 0, 0);

    /// <summary>All processors' time together, idle too.</summary>
    public ulong? SystemCpuUsage { get; init; }

    public int? OnlineCpus { get; init; }
}

public sealed record CpuUsage(ulong TotalUsage, ulong UsageInKernelmode, ulong UsageInUsermode);

public sealed record MemoryStats
{
    public ulong? Usage { get; init; }
    public IReadOnlyDictionary<string, ulong>? Stats { get; init; }
    public ulong? Limit { get; init; }
}

public sealed record InterfaceStats(
    ulong RxBytes, ulong RxPackets, ulong RxErrors, ulong RxDropped, ulong TxBytes, ulong TxPackets, ulong TxErrors, ulong TxDropped);
