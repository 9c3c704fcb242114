using Skep.Kernel.Links;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// A tunnel is made in the host's namespace, whose routes its packets take for ever, and then moved into the network's own.
/// </summary>
internal static class TunnelStep
{
    private const string Unfinished = "vx-";

    /// <summary>A tunnel that a daemon was moving when it was killed. Docker's have longer names.</summary>
    public static bool IsUnfinished(Link link) =>
        link.Kind == "vxlan" && link.Name.StartsWith(Unfinished, StringComparison.Ordinal) && link.Name[Unfinished.Length..] is { Length: 6 } vni && vni.All(char.IsAsciiHexDigitLower);

    public static Link Ensure(SpacePass pass, WantedLink wanted, Link? link)
    {
        var tunnel = wanted.Tunnel!;
        if (link is not null && Same(link, tunnel))
        {
            return link;
        }

        pass.Differs(RepairKind.Link, link is null ? RepairCause.Missing : RepairCause.Changed, link is null ? $"tunnel {wanted.Name} was missing" : $"tunnel {wanted.Name} had other settings");
        if (link is not null)
        {
            pass.Space.Routes.DeleteLink(link.Index);
        }

        if (tunnel.Encrypted && pass.Spaces.Host.RefusesClearText != tunnel.Port)
        {
            throw new IOException($"tunnel {wanted.Name} waits until the kernel refuses clear text on its port {tunnel.Port}");
        }

        var host = pass.Spaces.Host.Routes;
        var temporary = $"{Unfinished}{tunnel.Vni:x6}";
        if (host.FindLink(temporary) is { } unfinished)
        {
            host.DeleteLink(unfinished.Index);
        }

        host.AddVxlan(temporary, new VxlanOptions { Vni = tunnel.Vni, Port = tunnel.Port, Local = tunnel.Local, Learning = false, Proxy = true });
        var made = host.FindLink(temporary) ?? throw new IOException($"link {temporary} went away");
        host.SetLink(made.Index, new LinkChange { Namespace = pass.Space.Namespace, Name = wanted.Name });
        return LinkStep.Find(pass, wanted.Name);
    }

    private static bool Same(Link link, WantedTunnel tunnel) =>
        link.Vxlan is { Learning: false, Proxy: true } there
        && there.Vni == tunnel.Vni && there.Port == tunnel.Port && tunnel.Local.Equals(there.Local);
}
