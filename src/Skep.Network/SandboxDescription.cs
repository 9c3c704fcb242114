using System.Net;
using Skep.Network.Desired;
using Skep.Network.Dns;

namespace Skep.Network;

/// <summary>A sandbox as its container and its name server see it.</summary>
internal static class SandboxDescription
{
    public static Sandbox Of(NodeFacts facts, string gatewayId, LocalSandbox sandbox, string path) =>
        new(sandbox.Request.ContainerId, path)
        {
            Interfaces = [.. Interfaces(facts, gatewayId, sandbox)],
            HostPorts = sandbox.HostPorts,
        };

    public static SandboxNames Names(LocalSandbox sandbox, string path) =>
        new(sandbox.Request.ContainerId, sandbox.Request.TaskId, path)
        {
            Networks = [.. sandbox.Request.Attachments.Select(a => a.Network)],
            External = sandbox.GatewayAddress is not null,
            Dns = sandbox.Request.Dns,
        };

    /// <summary>Follows from container and network, so that everybody who asks gets the same.</summary>
    public static string EndpointId(string container, string networkId) => Addressing.IdOf($"endpoint/{container}/{networkId}");

    private static IEnumerable<SandboxInterface> Interfaces(NodeFacts facts, string gatewayId, LocalSandbox sandbox)
    {
        var container = sandbox.Request.ContainerId;
        foreach (var (attachment, index) in sandbox.Request.Attachments.Select((a, i) => (a, i)))
        {
            yield return Interface(ContainerSpace.Interface(index), container, attachment.Network.Id, attachment.Network.Name, attachment.Addresses, null);
        }

        if (sandbox.GatewayAddress is { } address)
        {
            var six = facts.GatewayAddress6Of(sandbox);
            string[] addresses = six is null ? [address] : [address, $"{six}/{facts.GatewaySubnet6!.Value.PrefixLength}"];
            yield return Interface(
                ContainerSpace.GatewayInterface(sandbox), container, gatewayId, SpaceNames.GatewayBridge, addresses, facts.GatewayAddress) with
            {
                Gateway6 = six is null ? null : facts.GatewayAddress6,
            };
        }
    }

    private static SandboxInterface Interface(
        string name, string container, string networkId, string networkName, IReadOnlyList<string> addresses, IPAddress? gateway) =>
        new(name, networkId, networkName, Addressing.MacOf(Addressing.AddressOf(addresses[0])), addresses)
        {
            EndpointId = EndpointId(container, networkId),
            Gateway = gateway,
        };
}
