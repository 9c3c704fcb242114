using System.Net;

namespace Skep.Network.Desired;

/// <summary>The statement that sends each new flow to the next of several addresses.</summary>
internal static class RoundRobin
{
    public static string To(IReadOnlyList<IPAddress> backends) => backends.Count == 1
        ? $"dnat to {backends[0]}"
        : $"dnat to numgen inc mod {backends.Count} map {{ {string.Join(", ", backends.Select((a, i) => $"{i} : {a}"))} }}";
}
