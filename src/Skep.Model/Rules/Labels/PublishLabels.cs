using System.Collections.Immutable;
using System.Globalization;
using Skep.Model.Specs;

namespace Skep.Model.Rules.Labels;

/// <summary>Who may reach published ports First to Last, and where. What is null restricts nothing.</summary>
public sealed record PublishLabels(ushort First, ushort Last)
{
    private const ushort Least = 1;
    private const ushort Most = ushort.MaxValue;

    /// <summary>They are for all ports.</summary>
    public bool IsGeneral => (First, Last) == (Least, Most);

    /// <summary>Placement constraints that a node must satisfy to listen.</summary>
    public IReadOnlyList<string>? Nodes { get; init; }

    /// <summary>Prefixes of the local addresses that listen.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }

    /// <summary>Prefixes of the clients that find somebody listening.</summary>
    public IReadOnlyList<string>? Sources { get; init; }

    /// <summary>2, or null for no header.</summary>
    public int? ProxyProtocol { get; init; }

    /// <summary>One for all ports if there are labels for all, and one for each port or range that labels name; those have what is said for all as well.</summary>
    internal static ImmutableArray<PublishLabels> Read(ServiceSpec spec, LabelReader reader)
    {
        var keys = reader.Names.Select(n => (Name: n, Key: LabelNames.PublishKey(n)))
            .Where(n => n.Key is not null && LabelNames.IsKnown(n.Name)).Select(n => (n.Name, n.Key!.Value.Port)).ToList();
        var general = Read(reader, LabelNames.Publish, new PublishLabels(Least, Most));
        var all = ImmutableArray.CreateBuilder<PublishLabels>();
        if (general != new PublishLabels(Least, Most))
        {
            all.Add(general);
        }

        var named = new List<(string Text, PublishLabels Labels)>();
        foreach (var (text, name) in keys.Where(k => k.Port is not null).GroupBy(k => k.Port!, (port, group) => (port, group.First().Name)))
        {
            if (RangeOf(text, name, spec, reader) is not { } range)
            {
                continue;
            }

            if (named.Find(n => n.Labels.First <= range.Last && range.First <= n.Labels.Last) is { Text: { } other })
            {
                reader.Refuse(name, $"ports {text} and {other} overlap; name each port once");
                continue;
            }

            named.Add((text, Read(reader, $"{LabelNames.Publish}{text}.", general with { First = range.First, Last = range.Last })));
        }

        all.AddRange(named.Select(n => n.Labels));
        CheckHostMode(spec, general, all, reader);
        CheckProxied(spec, all, reader);
        return all.ToImmutable();
    }

    private static PublishLabels Read(LabelReader reader, string prefix, PublishLabels otherwise) => otherwise with
    {
        Nodes = reader.Constraints(prefix + LabelNames.Nodes) ?? otherwise.Nodes,
        Addresses = reader.Prefixes(prefix + LabelNames.Addresses) ?? otherwise.Addresses,
        Sources = reader.Prefixes(prefix + LabelNames.Sources) ?? otherwise.Sources,
        ProxyProtocol = reader.Choice<int?>(prefix + LabelNames.ProxyProtocol, otherwise.ProxyProtocol, ("v2", 2)),
    };

    // A header stands before the bytes of a connection that the mesh's relay makes: only TCP has connections, only the mesh has the relay.
    private static void CheckProxied(ServiceSpec spec, IEnumerable<PublishLabels> all, LabelReader reader)
    {
        foreach (var port in spec.EndpointSpec?.Ports ?? [])
        {
            var number = port.PublishedPort ?? 0;
            var labels = all.Where(l => (number >= l.First && number <= l.Last) || (l.First == Least && l.Last == Most)).MinBy(l => l.Last - l.First);
            if (labels?.ProxyProtocol is null)
            {
                continue;
            }

            var (own, general) = (NameOf(labels), LabelNames.Publish + LabelNames.ProxyProtocol);
            var name = reader.Text(own) is null ? general : own;
            if (port.Protocol is { Length: > 0 } protocol && protocol != "tcp")
            {
                reader.Refuse(name, $"it covers port {number}/{protocol}, and only TCP has connections that a header can stand before; name ports of TCP alone, as in {LabelNames.Publish}8000.{LabelNames.ProxyProtocol}");
            }
            else if (port.PublishMode == PortConfig.Host && name == general)
            {
                reader.Refuse(name, $"it covers port {number} of mode host, which gives the task the client's own address; name ports of the mesh, as in {LabelNames.Publish}8000.{LabelNames.ProxyProtocol}");
            }
        }
    }

    private static string NameOf(PublishLabels labels) => labels.First == labels.Last
        ? string.Create(CultureInfo.InvariantCulture, $"{LabelNames.Publish}{labels.First}.{LabelNames.ProxyProtocol}")
        : string.Create(CultureInfo.InvariantCulture, $"{LabelNames.Publish}{labels.First}-{labels.Last}.{LabelNames.ProxyProtocol}");

    private static (ushort First, ushort Last)? RangeOf(string text, string name, ServiceSpec spec, LabelReader reader)
    {
        var ends = text.Split('-');
        if (ends.Length > 2 || !TryPort(ends[0], out var first) || !TryPort(ends[^1], out var last) || first > last)
        {
            reader.Refuse(name, $"\"{text}\" in its name is neither a port (8000) nor a range of ports (8000-8100)");
            return null;
        }

        var published = (spec.EndpointSpec?.Ports ?? []).Select(p => p.PublishedPort ?? 0).Where(p => p > 0).ToHashSet();
        for (uint port = first; port <= last; port++)
        {
            if (!published.Contains(port))
            {
                var publishes = published.Count == 0 ? "no port" : Listed(published);
                reader.Refuse(name, string.Create(CultureInfo.InvariantCulture, $"the service does not publish {port}; it publishes {publishes}"));
                return null;
            }
        }

        return (first, last);
    }

    // Where a host-mode port listens follows from where its task is; who placed the task has decided it.
    private static void CheckHostMode(ServiceSpec spec, PublishLabels general, IEnumerable<PublishLabels> all, LabelReader reader)
    {
        if (general.Nodes is not null && (spec.EndpointSpec?.Ports ?? []).FirstOrDefault(p => p.PublishMode == PortConfig.Host) is { } anywhere)
        {
            reader.Refuse(
                LabelNames.Publish + LabelNames.Nodes,
                $"port {(anywhere.PublishedPort is > 0 and var number ? number : anywhere.TargetPort)} is of mode host and listens where its task is; use --constraint, and name other ports in the label, such as {LabelNames.Publish}8000.{LabelNames.Nodes}");
        }

        var hosted = (spec.EndpointSpec?.Ports ?? []).Where(p => p.PublishMode == PortConfig.Host && p.PublishedPort is > 0).Select(p => p.PublishedPort!.Value).ToList();
        foreach (var labels in all.Where(l => hosted.Exists(p => p >= l.First && p <= l.Last) && !l.IsGeneral))
        {
            var text = labels.First == labels.Last
                ? labels.First.ToString(CultureInfo.InvariantCulture)
                : string.Create(CultureInfo.InvariantCulture, $"{labels.First}-{labels.Last}");
            foreach (var key in new[] { LabelNames.Nodes, LabelNames.ProxyProtocol }.Select(k => $"{LabelNames.Publish}{text}.{k}").Where(k => reader.Text(k) is not null))
            {
                reader.Refuse(key, key.EndsWith(LabelNames.Nodes, StringComparison.Ordinal)
                    ? "a port of mode host listens where its task is; use --constraint"
                    : "a port of mode host gives the task the client's own address; there is nothing to tell");
            }
        }
    }

    private static bool TryPort(string text, out ushort port) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port > 0;

    /// <summary>1, 5-7, 9.</summary>
    private static string Listed(IEnumerable<uint> ports)
    {
        var parts = new List<(uint First, uint Last)>();
        foreach (var port in ports.Order())
        {
            if (parts.Count > 0 && parts[^1].Last + 1 == port)
            {
                parts[^1] = (parts[^1].First, port);
            }
            else
            {
                parts.Add((port, port));
            }
        }

        return string.Join(", ", parts.Select(p => p.First == p.Last ? $"{p.First}" : $"{p.First}-{p.Last}"));
    }
}
