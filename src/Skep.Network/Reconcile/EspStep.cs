using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Netlink;
using Skep.Kernel.Xfrm;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// The host's IPsec policies and states for encrypted networks. Refusal of clear text comes first and goes last; a state is there
/// before a policy sends with it, and goes after.
/// </summary>
internal static class EspStep
{
    private const uint RequestId = WantedEsp.RequestId;
    private const uint PeerPriority = 1000;
    private const uint RefusalPriority = 2000;

    private static readonly AddressFamily[] s_families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    /// <summary>What must hold for the port before a tunnel of it may be made: nothing comes in or goes out in the clear.</summary>
    public static ImmutableArray<XfrmPolicy> Refusals(ushort port) =>
    [
        .. from family in s_families
           let any = Any(family)
           let everything = new IPNetwork(any, 0)
           from policy in new[]
           {
               new XfrmPolicy(XfrmDirection.Out, everything, everything, port, RefusalPriority),
               new XfrmPolicy(XfrmDirection.In, everything, everything, port, PeerPriority) { Template = new XfrmTemplate(any, any, 0, RequestId) },
           }
           select policy,
    ];

    /// <summary>Brings what is wanted; nothing wanted is <see cref="Remove"/>'s.</summary>
    public static void Apply(SpacePass pass)
    {
        if (pass.Wanted.Esp is not { } wanted)
        {
            return;
        }

        pass.Space.KeepsEsp = true;
        var table = pass.Space.Xfrm;
        var policies = table.Policies().Where(p => p.Port == wanted.Port).DistinctBy(Key).ToDictionary(Key);
        var refusals = Refusals(wanted.Port);
        Set(pass, table, refusals, policies);
        pass.Space.RefusesClearText = wanted.Port;
        if (!wanted.KeysKnown)
        {
            return;
        }

        var states = table.States().Where(s => s.RequestId == RequestId).ToDictionary(s => (s.Destination, s.Spi));
        var wantedStates = wanted.Peers.SelectMany(p => p.States).ToDictionary(s => (s.Destination, s.Spi), StateOf);
        var missing = wantedStates.Where(w => !Holds(states.GetValueOrDefault(w.Key), w.Value)).Select(w => w.Value).ToList();
        foreach (var state in missing)
        {
            Differs(pass, states.ContainsKey((state.Destination, state.Spi)), $"IPsec state {Text(state)}");
        }

        // A state of this number that is another's, or was changed, makes room.
        table.DeleteStates(missing.Where(m => states.ContainsKey((m.Destination, m.Spi))));
        table.AddStates(missing);
        NoteLosses(pass, wanted, missing);
        pass.Space.EspStates.Made(wanted);

        var peerPolicies = wanted.Peers.Select(p => PolicyOf(wanted.Port, p)).ToList();
        Set(pass, table, peerPolicies, policies);
        var keep = refusals.Concat(peerPolicies).Select(Key).ToHashSet();
        var extra = policies.Where(p => !keep.Contains(p.Key)).Select(p => p.Value).ToList();
        extra.ForEach(p => pass.Differs(RepairKind.Encryption, RepairCause.NotOurs, $"IPsec policy {Text(p)} was not wanted"));
        table.DeletePolicies(extra);
        var old = states.Where(s => !wantedStates.ContainsKey(s.Key)).Select(s => s.Value)
            .Where(s => !pass.Space.EspStates.Spares(wanted, s.Source, s.Destination, s.Spi)).ToList();
        old.ForEach(s => pass.Differs(RepairKind.Encryption, RepairCause.NotOurs, $"IPsec state {Text(s)} was not wanted"));
        table.DeleteStates(old);
        pass.Space.EspStates.Removed(wanted, old.Select(s => (s.Destination, s.Spi)));
    }

    /// <summary>
    /// Takes away everything of ours when nothing is wanted. Called when the tunnels are gone: the refusals outlive them. Peers may keep their side, so
    /// this node comes back with new keys.
    /// </summary>
    public static void Remove(Space host)
    {
        if (!host.KeepsEsp)
        {
            return;
        }

        try
        {
            var table = host.Xfrm;
            var states = table.States().Where(s => s.RequestId == RequestId).ToList();
            table.DeleteStates(states);
            host.LostSequences |= states.Count > 0;
            var policies = table.Policies();
            // The port, also an earlier daemon's, is known by the policies for what comes in.
            var ports = policies.Where(p => p.Template?.RequestId == RequestId).Select(p => p.Port).ToHashSet();
            table.DeletePolicies(policies.Where(p => ports.Contains(p.Port) && (p.Template?.RequestId == RequestId || p.Priority == RefusalPriority)));
        }
        catch (NetlinkException) when (!XfrmSupport.IsThere(host.Namespace))
        {
            // A kernel without XFRM has nothing of ours.
        }

        (host.RefusesClearText, host.KeepsEsp) = (0, false);
    }

    private static void Set(SpacePass pass, XfrmTable table, IReadOnlyCollection<XfrmPolicy> wanted, Dictionary<PolicyKey, XfrmPolicy> there)
    {
        var changed = wanted.Where(w => there.GetValueOrDefault(Key(w)) != w).ToList();
        changed.ForEach(p => Differs(pass, there.ContainsKey(Key(p)), $"IPsec policy {Text(p)}"));
        table.SetPolicies(changed);
    }

    private static void Differs(SpacePass pass, bool isThere, string what) =>
        pass.Differs(RepairKind.Encryption, isThere ? RepairCause.Changed : RepairCause.Missing, $"{what} was {(isThere ? "different" : "missing")}");

    // A state to send with that was made before and was not there has lost its place in the sequence: peers would take what it sends for replays.
    private static void NoteLosses(SpacePass pass, WantedEsp wanted, List<XfrmState> added)
    {
        var own = wanted.Peers.Select(p => p.Local).ToHashSet();
        pass.Space.LostSequences |= pass.Space.EspStates.Knows(added.Where(a => own.Contains(a.Source)).Select(a => (a.Destination, a.Spi)));
    }

    private static XfrmPolicy PolicyOf(ushort port, WantedEspPeer peer) =>
        new(XfrmDirection.Out, Whole(peer.Local), Whole(peer.Address), port, PeerPriority)
        {
            Template = new XfrmTemplate(peer.Local, peer.Address, peer.SendingSpi, RequestId),
        };

    private static XfrmState StateOf(WantedEspState state) =>
        new(state.Source, state.Destination, state.Spi, RequestId, new XfrmKey(state.Secret.Bytes));

    private static bool Holds(XfrmState? there, XfrmState wanted) =>
        there is not null && there.Source.Equals(wanted.Source) && there.ReplayWindow == wanted.ReplayWindow && wanted.Key!.Equals(there.Key);

    private static IPAddress Any(AddressFamily family) => family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;

    private static IPNetwork Whole(IPAddress address) => new(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);

    private static PolicyKey Key(XfrmPolicy policy) => new(policy.Direction, policy.Source, policy.Destination, policy.Port);

    private static string Text(XfrmState state) =>
        string.Create(CultureInfo.InvariantCulture, $"{state.Source} to {state.Destination} spi 0x{state.Spi:x8}");

    private static string Text(XfrmPolicy policy) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(policy.Direction == XfrmDirection.In ? "in" : "out")} {policy.Source} to {policy.Destination} udp {policy.Port} {(policy.Template is { } t ? $"esp 0x{t.Spi:x8}" : "block")}");

    private readonly record struct PolicyKey(XfrmDirection Direction, IPNetwork Source, IPNetwork Destination, ushort Port);
}
