using System.Collections.Frozen;
using Skep.Model.Errors;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>What a sandbox may ask for, and what its request concerns.</summary>
internal static class SandboxRules
{
    public static void Check(SandboxRequest request)
    {
        foreach (var attachment in request.Attachments)
        {
            var network = attachment.Network;
            if (network.Encrypted)
            {
                throw new ClusterException(ErrorKind.NotImplemented, $"network {network.Name} is encrypted; this version cannot encrypt, and sends nothing of it in the clear");
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

    public static bool SamePorts(SandboxRequest left, SandboxRequest right) => left.HostPorts.SequenceEqual(right.HostPorts);

    /// <summary>The namespaces that must be right for the sandbox to work.</summary>
    public static FrozenSet<string> SpacesOf(NodeView node, SandboxRequest request) =>
        request.Attachments.Select(a => new NetworkView(node, a.Network).SpaceName)
            .Append(WantedSpace.Host)
            .Append(Model.Identity.ContainerId.Short(request.ContainerId))
            .ToFrozenSet(StringComparer.Ordinal);
}
