using System.Collections.Immutable;
using System.Globalization;
using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// What a balancer's tables look like. Each has a map from keys to chains, a map from numbers to backends that all its chains
/// share, and a base chain that asks the first; a chain takes its number from a range of its own. Nothing in it is anonymous and a
/// table has a bounded number of chains, because the kernel names anonymous sets and checks a table's jumps in quadratic time.
/// </summary>
internal sealed class BalancerForm
{
    public const string Backends = "backends";

    /// <summary>What asks the keys of flows from elsewhere.</summary>
    public const string BaseChain = "prerouting";

    /// <summary>The same for those of the namespace's own programs, where ports are balanced: nobody asks his own VIP for a port.</summary>
    public const string OwnChain = "output";
    private const uint Register = 1;
    private const uint SecondPart = 9;
    private const byte Tcp = 6;
    private const byte Udp = 17;

    // What nft writes beside a map so that it can print it by what its keys mean (typeof numgen inc mod 2 : ip daddr . th dport).
    private const string VerdictNotes = "000402000000010400000000060400000000";
    private const string PortNotes = "000400000000010400000000030800040d0000000100060400000000";
    private const string NumberNotes = "000401000000010402000000031a000417000000011200040000000001040200000002040000000004";
    private const string NumberAndPortNotes = "000401000000010400000000031a00041700000001120004000000000104020000000204000000000434" + "00040d000000012c";

    private readonly bool _six;

    public BalancerForm(WantedBalancer wanted)
    {
        Wanted = wanted;
        _six = wanted.Family == "ip6";
        Family = _six ? NftFamily.Ip6 : NftFamily.Ip;
        var (address, bytes) = _six ? (NftMap.IPv6Address, 16u) : (NftMap.IPv4Address, 4u);
        Keys = ByPort
            ? new NftMap("published", (NftMap.Protocol << 6) | NftMap.Port, 8, NftMap.Verdict, 0)
            : new NftMap("vips", address, bytes, NftMap.Verdict, 0);
        Values = ByPort
            ? new NftMap(Backends, NftMap.Integer, 4, (address << 6) | NftMap.Port, bytes + 4)
            : new NftMap(Backends, NftMap.Integer, 4, address, bytes);
        Bases = ByPort
            ? [new NftChain(OwnChain, "nat", Hook: NftChain.Output, Priority: -100), new NftChain(BaseChain, "nat", Hook: NftChain.Prerouting, Priority: -100)]
            : [new NftChain(BaseChain, "nat", Hook: NftChain.Prerouting, Priority: -100)];
    }

    public WantedBalancer Wanted { get; }
    public NftFamily Family { get; }

    /// <summary>From keys to chains.</summary>
    public NftMap Keys { get; }

    /// <summary>From numbers to backends.</summary>
    public NftMap Values { get; }

    /// <summary>In the order of their names.</summary>
    public ImmutableArray<NftChain> Bases { get; }

    private bool ByPort => Wanted.ByPort;

    public NftTable Table(int number) => new(Family, string.Create(CultureInfo.InvariantCulture, $"{WantedTable.Ours}-{number}"));

    /// <summary>The number of a balancer's table; null when the name is another's.</summary>
    public static int? NumberOf(string table) =>
        table.StartsWith($"{WantedTable.Ours}-", StringComparison.Ordinal)
        && int.TryParse(table.AsSpan(WantedTable.Ours.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>Everything of a table but its balances.</summary>
    public void AddFrame(NftBatch batch, NftTable table)
    {
        batch.AddTable(table);
        batch.AddMap(table, Keys, Convert.FromHexString(ByPort ? PortNotes : VerdictNotes));
        batch.AddMap(table, Values, Convert.FromHexString(ValueNotes()));
        foreach (var chain in Bases)
        {
            batch.AddChain(table, chain);
            foreach (var rule in RulesOf(chain))
            {
                batch.AddRule(table, rule);
            }
        }
    }

    /// <summary>The one rule of a balance's chain; its numbers begin at <paramref name="offset"/>.</summary>
    public NftRule RuleOf(WantedBalance balance, uint offset)
    {
        var rule = ImmutableArray.CreateBuilder<NftExpression>(5);
        if (balance.Key.Split(" . ") is [var protocol, _])
        {
            rule.Add(new NftMeta(NftMeta.L4Proto, Register));
            rule.Add(new NftCompare(Register, new NftBytes([NftBytes.NumberOf(protocol)])));
        }

        rule.Add(new NftNumber(Register, (uint)balance.Backends.Length, offset));
        rule.Add(new NftLookup(Backends, Register, Register));
        rule.Add(new NftDestinationNat(Family, Register, balance.Port is null ? null : _six ? Register + 1 : SecondPart));
        return new NftRule(balance.Chain, rule.ToImmutable());
    }

    /// <summary>The backends under their numbers.</summary>
    public static IEnumerable<NftElement> ElementsOf(WantedBalance balance, uint offset) =>
        balance.Backends.Select((address, i) => new NftElement(
            NftBytes.Of(offset + (uint)i), balance.Port is { } port ? NftBytes.Of(address, (ushort)port) : NftBytes.Of(address)));

    /// <summary>The range of numbers that a rule takes; null when it takes none.</summary>
    public static (uint Offset, uint Length)? RangeOf(NftRule rule) =>
        rule.Expressions.OfType<NftNumber>().FirstOrDefault() is { } number ? (number.Offset, number.Modulus) : null;

    /// <summary>The rules of a base chain.</summary>
    public IEnumerable<NftRule> RulesOf(NftChain chain)
    {
        if (ByPort)
        {
            // fib daddr type local meta l4proto . th dport vmap @published
            yield return new NftRule(chain.Name,
            [
                new NftDestinationType(Register),
                new NftCompare(Register, NftDestinationType.Local),
                new NftMeta(NftMeta.L4Proto, Register),
                new NftPayload(NftPayload.TransportHeader, 2, 2, SecondPart),
                new NftLookup(Keys.Name, Register, 0),
            ]);
            yield break;
        }

        // meta l4proto tcp ip daddr vmap @vips, and the same for udp: pings stay with the VIP itself.
        foreach (var protocol in new[] { Tcp, Udp })
        {
            yield return new NftRule(chain.Name,
            [
                new NftMeta(NftMeta.L4Proto, Register),
                new NftCompare(Register, new NftBytes([protocol])),
                new NftPayload(NftPayload.NetworkHeader, _six ? 24u : 16u, _six ? 16u : 4u, Register),
                new NftLookup(Keys.Name, Register, 0),
            ]);
        }
    }

    private string ValueNotes()
    {
        var (protocol, field) = _six ? ("0d", "09") : ("0c", "0c");
        var address = $"14000407000000010c0004{protocol}0000000104{field}000000";
        return ByPort
            ? $"{NumberAndPortNotes}00{address}0114000407000000010c00040b000000010402000000060400000000"
            : $"{NumberNotes}{address}060400000000";
    }
}
