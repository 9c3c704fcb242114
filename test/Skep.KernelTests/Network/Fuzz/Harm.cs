using System.Collections.Immutable;
using System.Globalization;
using Skep.Kernel.Bpf;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network.Fuzz;

/// <summary>
/// Something that others' tools could well do to a machine's kernel. Of the placeholders, {far} is web's address on the next machine, {db} another
/// service's on the machine itself, {own} web's there, {vtep} the machine after the next.
/// </summary>
/// <param name="Kind">What it is done to.</param>
/// <param name="Space">The namespace: demo, mesh, sandbox, task, host or sockets.</param>
/// <param name="Text">A shell command; for sockets the name of the deed.</param>
/// <param name="Misleads">It leads flows to the other service. None arrives, for what may be led where is looked up once more.</param>
/// <param name="Blinds">It takes that second look away. By itself that leads nobody anywhere.</param>
internal sealed record Harm(string Kind, string Space, string Text, bool Misleads = false, bool Blinds = false)
{
    private const int MeshTable = 100;

    public static ImmutableArray<Harm> All { get; } =
    [
        new("nft", "demo", "nft delete element ip skep-0 backends { 0 }"),
        new("nft", "demo", Exchange("10.0.1.{far}", "10.0.1.99")),
        new("nft", "demo", Exchange("10.0.1.{far}", "10.0.1.{db}"), Misleads: true),
        new("nft", "demo", "nft add element ip skep-0 backends { 77 : 10.0.1.{db} }"),
        new("nft", "demo", "nft delete element ip skep-0 vips { 10.0.1.2 }"),
        new("nft", "demo", "nft 'delete element ip skep-0 vips { 10.0.1.2 } ; add element ip skep-0 vips { 10.0.1.2 : jump service-db }'", Misleads: true),
        new("nft", "demo", "nft flush chain ip skep-0 service-web"),
        new("nft", "demo", "nft add rule ip skep-0 service-web drop"),
        new("nft", "demo", "nft insert rule ip skep-0 service-web dnat to 10.0.1.{db}", Misleads: true),
        new("nft", "demo", "nft add chain ip skep-0 stranger"),
        new("nft", "demo", "nft flush chain ip skep-0 prerouting"),
        new("nft", "demo", "nft delete table ip skep-0"),
        new("nft", "demo", "nft delete table ip skep", Blinds: true),
        new("nft", "demo", "nft flush chain ip skep members", Blinds: true),
        new("nft", "demo", "nft add element ip skep members { 10.0.1.2 . 10.0.1.{db} }", Blinds: true),
        new("nft", "demo", "nft delete element ip skep members { 10.0.1.2 . 10.0.1.{far} }"),
        new("nft", "demo", "nft flush ruleset"),
        new("nft", "mesh", "nft flush ruleset"),
        new("nft", "host", "nft delete element ip skep-0 published { tcp . 8000 }"),
        new("nft", "host", "nft 'delete element ip skep-0 published { tcp . 8000 } ; add element ip skep-0 published { tcp . 8000 : jump port-tcp-8100 }'", Misleads: true),
        new("nft", "host", Exchange("10.0.0.{far} . 3000", "10.0.0.{db} . 3000"), Misleads: true),
        new("nft", "sandbox", "nft flush ruleset"),
        new("nft", "task", "nft delete table netdev skep"),
        new("nft", "task", "nft flush chain ip skep entrance"),
        new("nft", "task", "nft flush ruleset"),
        new("nft", "host", "nft flush chain ip skep members", Blinds: true),
        new("nft", "host", "nft add element ip skep members { tcp . 8000 . 10.0.0.{db} . 3000 }", Blinds: true),
        new("nft", "host", "nft delete element ip skep members { tcp . 8000 . 10.0.0.{far} . 3000 }"),
        new("nft", "host", "nft delete table ip skep"),
        new("nft", "host", "nft flush ruleset"),
        new("nft", "host", "nft flush chain ip skep-0 prerouting"),
        new("nft", "host", "nft delete element ip skep ingress-ports { tcp . 8000 }"),
        new("nft", "host", "nft 'delete element ip skep ingress-ports { tcp . 8000 } ; add element ip skep ingress-ports { tcp . 8000 comment \"x\" }'"),
        new("nft", "host", "nft add element ip skep ingress-ports { icmp . 8 }"),
        new("nft", "host", "nft insert rule ip skep past-refusals fib daddr type local tcp dport 8000 dnat to 10.0.0.{db}:3000", Misleads: true),
        new("nft", "demo", "nft add table ip skep-0 '{ flags dormant; }'"),
        new("nft", "host", "nft add table ip skep '{ flags dormant; }'"),
        new("nft", "demo", "nft add counter ip skep stranger"),
        new("nft", "demo", "nft 'add table inet stranger ; add chain inet stranger c { type filter hook forward priority 0; policy drop; }'"),
        new("neighbour", "demo", "ip neigh replace 10.0.1.{far} lladdr 02:42:0a:00:01:63 dev vxlan0 nud permanent"),
        new("neighbour", "demo", "ip neigh replace 10.0.1.{far} lladdr 02:42:0a:00:01:0{db} dev vxlan0 nud permanent"),
        new("neighbour", "demo", "ip neigh del 10.0.1.{far} dev vxlan0"),
        new("neighbour", "host", "ip neigh replace 10.0.0.{far} lladdr 02:42:0a:00:00:0{db} dev skep-ingress nud permanent"),
        new("fdb", "demo", "bridge fdb del 02:42:0a:00:01:0{far} dev vxlan0 self"),
        new("fdb", "demo", "bridge fdb replace 02:42:0a:00:01:0{far} dev vxlan0 dst 198.18.8.{vtep} self permanent"),
        new("fdb", "demo", "bridge fdb replace 02:42:0a:00:01:0{far} dev vxlan0 dst $(bridge fdb show dev vxlan0 | grep 02:42:0a:00:01:0{far} | grep -o 'dst [0-9.]*' | cut -d' ' -f2) port 9999 self permanent"),
        new("fdb", "mesh", "bridge fdb del 02:42:0a:00:00:0{far} dev vxlan0 self"),
        new("route", "demo", "ip route del local 10.0.1.2 dev br0 table local"),
        new("address", "demo", "ip addr add 10.0.1.{far}/32 dev br0"),
        new("address", "host", "ip addr flush dev docker_gwbridge"),
        new("address", "host", "ip addr add 172.18.0.1 peer 10.9.9.9/16 dev docker_gwbridge"),
        new("address", "task", "ip addr del 10.0.1.{own}/24 dev eth1"),
        new("link", "demo", "ip link set br0 down"),
        new("link", "demo", "ip link set br0 type bridge stp_state 1"),
        new("link", "demo", "bridge link set dev veth0 state 0"),
        new("link", "mesh", "bridge link set dev veth1 bcast_flood off"),
        new("link", "demo", "ip link set vxlan0 down"),
        new("link", "demo", "ip link set vxlan0 mtu 1300"),
        new("link", "mesh", "ip link del vxlan0"),
        new("link", "mesh", "bridge link set dev veth1 learning on"),
        new("fdb", "mesh", "bridge fdb del 02:42:8a:00:00:0b dev vethmesh master || bridge fdb del 02:42:8a:00:00:0b dev vxlan0 self"),
        new("link", "host", "ip link set docker_gwbridge down"),
        new("link", "host", "ip link set skep-ingress down"),
        new("link", "host", "ip link del skep-ingress"),
        new("address", "host", "ip link set skep-ingress address 02:42:8a:00:00:63"),
        new("route", "demo", "ip route add blackhole 10.0.1.{far}/32"),
        new("route", "host", "ip route flush table 29547"),
        new("link", "mesh", "bridge link set dev vethmesh isolated on"),
        new("link", "task", "ip link set eth0 down"),
        new("route", "sandbox", "ip route del default"),
        new("route", "task", $"ip route flush table {MeshTable}"),
        new("route", "task", "ip route replace default via 10.0.1.77 dev eth1"),
        new("rule", "demo", "ip rule del pref 32766"),
        new("rule", "demo", "ip rule add pref 5 blackhole"),
        new("rule", "host", "ip rule del fwmark 0x736b6570"),
        new("rule", "task", "p=$(ip rule | grep 'lookup 100' | cut -d: -f1 | head -1); ip rule del priority $p"),
        new("setting", "demo", "sysctl -qw net.bridge.bridge-nf-call-iptables=0"),
        new("setting", "demo", "sysctl -qw net.ipv4.ip_forward=0"),
        new("socket", "sockets", "detach"),
        new("socket", "sockets", "forget services"),
        new("socket", "sockets", "exchange services"),
        new("socket", "sockets", "forget spaces"),
        new("socket", "sockets", "exchange lists"),
        new("socket", "sockets", "exchange backends"),
    ];

    /// <summary>False: what it is done to was not there; an earlier harm had taken it.</summary>
    public async Task<bool> DoAsync(FuzzNodes nodes, int machine)
    {
        try
        {
            if (Space == "sockets")
            {
                DoToSockets(nodes, machine);
                return true;
            }

            var node = nodes.Nodes[machine - 1];
            using var ns = Space switch
            {
                "host" => NetworkNamespace.Open(node.Host.Origin),
                "demo" => node.Open("2-demoxxxxxx"),
                "mesh" => node.Open("1-ingressxxx"),
                "sandbox" => node.Open("ingress_sbox"),
                _ => node.Open(TestNode.ContainerOf($"web{machine}")[..12]),
            };
            await NamespaceFixture.RunAsync(ns, "sh", "-ec", On(machine));
            return true;
        }
        catch (Exception gone) when (gone is InvalidOperationException or IOException)
        {
            return false;
        }
    }

    public override string ToString() => $"{Space}: {Text}";

    private string On(int machine) => new[] { ("{far}", 3 + (machine % FuzzNodes.Machines)), ("{own}", 2 + machine), ("{db}", 6 + machine), ("{vtep}", 1 + ((machine + 1) % FuzzNodes.Machines)) }
        .Aggregate(Text, (text, part) => text.Replace(part.Item1, part.Item2.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

    private static string Exchange(string backend, string other) =>
        $"n=$(nft list map ip skep-0 backends | grep -oE '[0-9]+ : {backend}' | head -1 | cut -d' ' -f1); [ -n \"$n\" ]; "
        + $"nft \"delete element ip skep-0 backends {{ $n }} ; add element ip skep-0 backends {{ $n : {other} }}\"";

    private void DoToSockets(FuzzNodes nodes, int machine)
    {
        if (Text == "detach")
        {
            nodes.Detach(machine, SocketHook.Connect4);
            return;
        }

        using var map = nodes.Map(machine, Text switch { "forget spaces" => "skep_spaces", "exchange lists" => "skep_slots", "exchange backends" => "skep_backends", _ => "skep_services" });
        switch (Text)
        {
            case "exchange lists":
                // The first word of a slot is where its backends stand.
                Reverse(map, words: 8, exchanged: 1);
                return;
            case "exchange backends":
                Reverse(map, words: 2, exchanged: 2);
                return;
        }

        var (keys, size) = (map.Shape.KeySize, map.Shape.KeySize + map.Shape.ValueSize);
        var entries = map.Entries();
        for (var at = 0; at < entries.Length; at += size)
        {
            if (Text == "exchange services")
            {
                // Each key gets its neighbour's slot.
                map.Set(entries.AsSpan(at, keys), entries.AsSpan(((at + size) % entries.Length) + keys, size - keys));
            }
            else
            {
                map.Remove(entries.AsSpan(at, keys));
            }
        }
    }

    // The last of the elements in use gets what the first had, and so on: web's backends stand before db's.
    private static void Reverse(BpfMap map, int words, int exchanged)
    {
        using var memory = new BpfMapMemory(map);
        var used = Enumerable.Range(0, memory.Length / words).Select(e => e * words).Where(at => memory[at] != 0 || memory[at + 1] != 0).ToList();
        if (used.Count < 2)
        {
            throw new InvalidOperationException("no two services are balanced by sockets");
        }

        var reversed = used.AsEnumerable().Reverse().Select(at => Enumerable.Range(at, exchanged).Select(word => memory[word]).ToArray()).ToList();
        foreach (var (at, values) in used.Zip(reversed))
        {
            for (var word = 0; word < exchanged; word++)
            {
                memory[at + word] = values[word];
            }
        }
    }
}
