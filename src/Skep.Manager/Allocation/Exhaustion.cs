using System.Globalization;
using System.Net.Sockets;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Allocation;

/// <summary>The sentence for a network without a free address: how many there are, and who has them.</summary>
public static class Exhaustion
{
    private const string InUse = "addresses in use";

    /// <summary>network app: 253 of 253 IPv4 addresses in use: 200 tasks, 50 services, 3 nodes.</summary>
    public static string Of(WorkingSet work, string networkId, AddressFamily family)
    {
        if (work.Exhausted.TryGetValue((networkId, family), out var known))
        {
            return known;
        }

        var (total, owners) = work.Books.Addresses.Pool(networkId).Usage(family);
        var kinds = owners
            .CountBy(owner => work.Task(owner) is not null ? "task" : work.Service(owner) is not null ? "service" : work.Node(owner) is not null ? "node" : "other")
            .OrderByDescending(k => k.Value).ThenBy(k => k.Key, StringComparer.Ordinal)
            .Select(k => string.Create(CultureInfo.InvariantCulture, $"{k.Value} {k.Key}{(k.Value == 1 ? "" : "s")}"));
        var name = work.Network(networkId)?.Spec.Name ?? networkId;
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"network {name}: {owners.Count} of {total} {(family == AddressFamily.InterNetwork ? "IPv4" : "IPv6")} {InUse}{(owners.Count == 0 ? "" : ": ")}{string.Join(", ", kinds)}");
        return work.Exhausted[(networkId, family)] = text;
    }

    /// <summary>
    /// Whether a task that was told <paramref name="old"/> knows enough. Who has the addresses may change with every pass while a
    /// thousand tasks wait; they are not written anew for that.
    /// </summary>
    public static bool IsTold(string? old, string now) => old == now || (old is not null && Head(now) is { } head && Head(old) == head);

    private static string? Head(string text) =>
        text.IndexOf(InUse, StringComparison.Ordinal) is >= 0 and var at && text.StartsWith("network ", StringComparison.Ordinal) ? text[..at] : null;
}
