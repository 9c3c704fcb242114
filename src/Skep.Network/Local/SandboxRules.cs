using System.Collections.Frozen;
using Skep.Model.Errors;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>What a sandbox may ask for, and what its request concerns.</summary>
internal static class SandboxRules
{
    /// <param name="request">What is asked for.</param>
    /// <param name="lacking">What this node lacks to encrypt; null = nothing.</param>
    public static void Check(SandboxRequest request, Func<string?> lacking)
    {
        foreach (var attachment in request.Attachments)
        {
            var network = attachment.Network;
            if (network.Encrypted && lacking() is { } missing)
            {
                throw new ClusterException(ErrorKind.FailedPrecondition, $"network {network.Name} is encrypted and this node cannot encrypt: {missing}");
            }

            if (attachment.Addresses.Count == 0)
            {
                throw ClusterException.Invalid($"container {request.ContainerId} has no address on network {network.Name}");
            }
        }

        if (request.Attachments.Select(a => a.Network.Id).Distinct(StringComparer.Ordinal).Count() != request.Attachments.Count)
        {
            throw ClusterException.Invalid($"container {request.ContainerId} is on one network twice");
        }
    }

    /// <summary>A kernel without IPv6, and ways too narrow for it, can carry the IPv4 part of a network, and nothing of one that has no other.</summary>
    public static void CheckFamilies(NodeView node, SandboxRequest request)
    {
        foreach (var attachment in request.Attachments)
        {
            var network = new NetworkView(node, attachment.Network);
            if (!network.Usable(attachment.Addresses).Any())
            {
                var why = network.IsTooNarrow ? $"the ways from this node carry {network.Mtu} bytes of it where IPv6 needs 1280" : "the kernel of this node has no IPv6";
                throw new ClusterException(ErrorKind.FailedPrecondition, $"network {attachment.Network.Name} has IPv6 addresses only, and {why}");
            }
        }
    }

    public static bool SamePorts(SandboxRequest left, SandboxRequest right) => left.HostPorts.SequenceEqual(right.HostPorts);

    /// <summary>The namespaces that must be right for the sandbox to work.</summary>
    public static FrozenSet<string> SpacesOf(NodeView node, SandboxRequest request) =>
        request.Attachments.Select(a => new NetworkView(node, a.Network).SpaceName)
            .Append(WantedSpace.Host)
            .Append(Model.Identity.ContainerId.Short(request.ContainerId))
            .ToFrozenSet(StringComparer.Ordinal);
}
