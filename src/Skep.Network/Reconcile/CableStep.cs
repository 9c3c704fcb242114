using Skep.Kernel.Links;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>A cable between two namespaces: a pair of veth links.</summary>
internal static class CableStep
{
    public static Link Ensure(SpacePass pass, WantedLink wanted, Link? link)
    {
        var far = wanted.FarEnd!;
        var other = pass.Spaces.Ensure(far.Space);
        var end = other.Routes.FindLink(far.Name);
        if (link is { Kind: "veth" } && end is { Kind: "veth" } && link.PeerIndex == end.Index && end.PeerIndex == link.Index)
        {
            return link;
        }

        pass.Differs(RepairKind.Link, link is null && end is null ? RepairCause.Missing : RepairCause.Changed, $"cable {wanted.Name} to {far.Name} of {far.Space} was {(link is null && end is null ? "missing" : "wrong")}");
        if (link is not null)
        {
            pass.Space.Routes.DeleteLink(link.Index);
        }

        if (end is not null)
        {
            other.Routes.DeleteLink(end.Index);
        }

        pass.Space.Routes.AddVeth(wanted.Name, far.Name, other.Namespace, new VethOptions { Mtu = wanted.Mtu, PeerMtu = wanted.Mtu, PeerMac = far.Mac });
        other.Fresh = true;
        other.Touch(SpaceParts.All);
        return LinkStep.Find(pass, wanted.Name);
    }
}
