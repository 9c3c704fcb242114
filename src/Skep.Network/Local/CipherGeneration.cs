using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Xfrm;
using Skep.Model.Flow;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>
/// This node's part in the keys of what it sends. A kernel that has forgotten its states (a reboot, a flush) would number its packets
/// from one again, under a key with which peers have seen higher numbers: with a new generation it starts with another key.
/// </summary>
internal sealed class CipherGeneration(NetworkNamespace host, IPAddress vtep)
{
    private bool _can;

    /// <summary>Empty while the kernel cannot encrypt.</summary>
    public Watched<string> Current { get; } = new("", (next, now) => next != now);

    /// <summary>The last one while the kernel still has states of it, else a new one; empty when the kernel cannot encrypt.</summary>
    public string Begin(string last)
    {
        if (Missing() is not null)
        {
            return "";
        }

        using var table = XfrmTable.Open(host);
        var kept = last.Length > 0 && table.States().Any(s => s.RequestId == WantedEsp.RequestId && s.Source.Equals(vtep));
        return Publish(kept ? last : New());
    }

    /// <summary>A new one, which peers hear of once <paramref name="keep"/> has it: until then this node sends with the last.</summary>
    public void Renew(Action<string> keep)
    {
        var next = New();
        keep(next);
        Publish(next);
    }

    /// <summary>What the kernel lacks to encrypt to peers, in words; null = nothing. A refusal is asked for anew: a module may have come.</summary>
    public string? Missing()
    {
        if (_can)
        {
            return null;
        }

        var missing = XfrmSupport.Missing(host, vtep.AddressFamily == AddressFamily.InterNetworkV6);
        _can = missing is null;
        return missing;
    }

    private string Publish(string generation)
    {
        Current.TryPublish(generation);
        return generation;
    }

    private static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
}
