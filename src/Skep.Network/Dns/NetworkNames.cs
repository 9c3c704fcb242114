using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

namespace Skep.Network.Dns;

/// <summary>Addresses of one name, by family, as they go on the wire. Both may be empty: the name is known all the same.</summary>
internal sealed record NameEntry(AddressRecords V4, AddressRecords V6)
{
    public static readonly NameEntry Empty = new(AddressRecords.None, AddressRecords.None);

    public static NameEntry Of(IReadOnlyCollection<IPAddress> addresses) => new(
        AddressRecords.Of(DnsNumbers.A, BytesOf(addresses, AddressFamily.InterNetwork)),
        AddressRecords.Of(DnsNumbers.Aaaa, BytesOf(addresses, AddressFamily.InterNetworkV6)));

    private static List<byte[]> BytesOf(IEnumerable<IPAddress> addresses, AddressFamily family) =>
        [.. addresses.Where(a => a.AddressFamily == family).Select(a => a.GetAddressBytes())];
}

/// <summary>
/// All names of one network, made from its plan. A value: a change of the plan makes a new one. Names are lower case without a
/// dot at the end.
/// </summary>
internal sealed class NetworkNames
{
    private readonly Dictionary<string, HashSet<IPAddress>> _gathered = [];
    private readonly Dictionary<string, NameEntry> _forward = [];
    private readonly Dictionary<IPAddress, string> _reverse = [];

    private NetworkNames(NetworkPlan plan)
    {
        Plan = plan;
        Name = plan.Network.Name.ToLowerInvariant();
        Forward = _forward.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public NetworkPlan Plan { get; }
    public string Name { get; }

    /// <summary>Names to addresses, looked up without making a string.</summary>
    public Dictionary<string, NameEntry>.AlternateLookup<ReadOnlySpan<char>> Forward { get; }

    public string? Reverse(IPAddress address) => _reverse.GetValueOrDefault(address);

    /// <summary>The names of tasks of a service that take new flows, for SRV.</summary>
    public IEnumerable<PlanEndpoint> ActiveOf(string serviceId) =>
        Plan.Endpoints.Values.Where(e => e.ServiceId == serviceId && e.State == EndpointState.Active && e.Names.Count > 0
            && DnsAnswer.IsName($"{e.Names[0]}.{Plan.Network.Name}"));

    public static NetworkNames Of(NetworkPlan plan)
    {
        var names = new NetworkNames(plan);
        if (plan.Network.Ingress)
        {
            return names;
        }

        var active = plan.Endpoints.Values.Where(e => e.State == EndpointState.Active).ToList();
        foreach (var endpoint in active)
        {
            names.AddEndpoint(endpoint);
        }

        var byService = active.Where(e => e.ServiceId.Length > 0).ToLookup(e => e.ServiceId);
        foreach (var service in plan.Services.Values)
        {
            names.AddService(service, [.. byService[service.ServiceId]]);
        }

        foreach (var (name, addresses) in names._gathered)
        {
            names._forward[name] = NameEntry.Of(addresses);
        }

        names._gathered.Clear();
        return names;
    }

    private void AddEndpoint(PlanEndpoint endpoint)
    {
        var addresses = endpoint.Addresses.Select(Address).ToList();
        foreach (var name in endpoint.Names)
        {
            Add(name, addresses);
        }

        if (endpoint.Names.Count > 0)
        {
            addresses.ForEach(a => AddReverse(a, endpoint.Names[0]));
        }
    }

    /// <summary>
    /// A service's name and aliases mean its virtual address, or all its tasks when it has none. A service without a task that
    /// takes flows keeps its name with no address: the question is answered here, with nothing, and never leaves the swarm.
    /// </summary>
    private void AddService(PlanService service, IReadOnlyList<PlanEndpoint> active)
    {
        var tasks = active.SelectMany(e => e.Addresses).Select(Address).ToList();
        var virtualAddresses = service.Vips.Select(Address).ToList();
        var own = active.Count == 0 ? [] : virtualAddresses.Count > 0 ? virtualAddresses : tasks;
        foreach (var name in service.Aliases.Prepend(service.Name).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            Add(name, own);
            Add("tasks." + name, tasks);
        }

        virtualAddresses.ForEach(a => AddReverse(a, service.Name));
    }

    private void AddReverse(IPAddress address, string name)
    {
        if ($"{name}.{Plan.Network.Name}" is var whole && DnsAnswer.IsName(whole))
        {
            _reverse[address] = whole;
        }
    }

    /// <summary>One name may come from several endpoints (an alias of every task) and twice from one (an alias like its own name).</summary>
    private void Add(string name, IReadOnlyCollection<IPAddress> addresses)
    {
        var key = name.ToLowerInvariant();
        if (!_gathered.TryGetValue(key, out var known))
        {
            _gathered[key] = known = [];
        }

        known.UnionWith(addresses);
    }

    private static IPAddress Address(string prefix) => IPAddress.Parse(prefix.AsSpan(0, prefix.IndexOf('/') is > 0 and var slash ? slash : prefix.Length));
}
