using System.Collections.Concurrent;
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
/// All names of one network, made from its plan. Names are lower case without a dot at the end. A newer plan of which it is known
/// what differs is taken in by just that.
/// </summary>
internal sealed class NetworkNames
{
    private readonly GatheredNames _gathered;
    private readonly EndpointIndex _endpoints;
    private readonly Contribution _said = new();
    private readonly bool _balances6;

    private NetworkNames(NetworkPlan plan, EndpointIndex endpoints, GatheredNames gathered, bool balances6)
    {
        (Plan, _endpoints, _gathered, _balances6) = (plan, endpoints, gathered, balances6);
        Name = plan.Network.Name.ToLowerInvariant();
    }

    public NetworkPlan Plan { get; }
    public string Name { get; }

    /// <summary>Names to addresses, looked up without making a string.</summary>
    public ConcurrentDictionary<string, NameEntry>.AlternateLookup<ReadOnlySpan<char>> Forward => _gathered.Forward;

    public string? Reverse(IPAddress address) => _gathered.Reverse(address);

    /// <summary>The names of tasks of a service that take new flows, for SRV.</summary>
    public IEnumerable<PlanEndpoint> ActiveOf(string serviceId) =>
        _endpoints[serviceId].Where(e => e.State == EndpointState.Active && e.Names.Count > 0 && DnsAnswer.IsName($"{e.Names[0]}.{Plan.Network.Name}"));

    /// <param name="plan">What is named.</param>
    /// <param name="balances6">False where nobody answers at a virtual address of IPv6: names must not lead there.</param>
    public static NetworkNames Of(NetworkPlan plan, bool balances6 = true)
    {
        var names = new NetworkNames(plan, EndpointIndex.Of(plan), new GatheredNames(), balances6);
        names._gathered.MakeRoom(plan.Network.Ingress ? 0 : plan.Endpoints.Count + plan.Services.Count);
        foreach (var task in plan.Network.Ingress ? [] : plan.Endpoints.Keys)
        {
            names.SetEndpoint(task);
        }

        foreach (var service in plan.Network.Ingress ? [] : plan.Services.Keys)
        {
            names.SetService(service);
        }

        names._gathered.Publish();
        return names;
    }

    /// <summary>The names of a newer plan, in which only these records of the network may be others. Whoever has these names has those then.</summary>
    public NetworkNames Next(NetworkPlan plan, IReadOnlyCollection<PlanRecordKey> keys)
    {
        var names = new NetworkNames(plan, _endpoints.With(Plan, plan, keys), _gathered, _balances6);
        if (plan.Network.Ingress)
        {
            return names;
        }

        var services = keys.Where(k => k.Part == PlanPart.Service).Select(k => k.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var task in keys.Where(k => k.Part == PlanPart.Endpoint).Select(k => k.Id))
        {
            names.SetEndpoint(task);
            services.UnionWith(new[] { Plan.Endpoints.GetValueOrDefault(task), plan.Endpoints.GetValueOrDefault(task) }.OfType<PlanEndpoint>().Select(e => e.ServiceId));
        }

        foreach (var service in services)
        {
            names.SetService(service);
        }

        _gathered.Publish();
        return names;
    }

    private void SetEndpoint(string taskId)
    {
        _said.Clear();
        if (Plan.Endpoints.TryGetValue(taskId, out var endpoint) && endpoint.State == EndpointState.Active)
        {
            var addresses = endpoint.Addresses.Select(Address).ToArray();
            foreach (var name in endpoint.Names)
            {
                _said.Add(name, addresses);
            }

            if (endpoint.Names.Count > 0)
            {
                AddReverse(addresses, endpoint.Names[0]);
            }
        }

        _gathered.Set(new Contributor(IsService: false, taskId), _said);
    }

    /// <summary>
    /// A service's name and aliases mean its virtual address, or all its tasks when it has none. A service without a task that
    /// takes flows keeps its name with no address: the question is answered here, with nothing, and never leaves the swarm.
    /// </summary>
    private void SetService(string serviceId)
    {
        _said.Clear();
        if (Plan.Services.TryGetValue(serviceId, out var service))
        {
            var tasks = _endpoints[service.ServiceId].Where(e => e.State == EndpointState.Active).SelectMany(e => e.Addresses).Select(Address).ToArray();
            var virtualAddresses = service.Vips.Select(Address).Where(a => _balances6 || a.AddressFamily == AddressFamily.InterNetwork).ToArray();
            var own = tasks.Length == 0 ? [] : virtualAddresses.Length > 0 ? virtualAddresses : tasks;
            foreach (var name in service.Aliases.Prepend(service.Name).Distinct(StringComparer.OrdinalIgnoreCase))
            {
                _said.Add(name, own);
                _said.Add("tasks." + name, tasks);
            }

            AddReverse(virtualAddresses, service.Name);
        }

        _gathered.Set(new Contributor(IsService: true, serviceId), _said);
    }

    private void AddReverse(IPAddress[] addresses, string name)
    {
        if ($"{name}.{Plan.Network.Name}" is var whole && DnsAnswer.IsName(whole))
        {
            foreach (var address in addresses)
            {
                _said.AddReverse(address, whole);
            }
        }
    }

    private static IPAddress Address(string prefix) => IPAddress.Parse(prefix.AsSpan(0, prefix.IndexOf('/') is > 0 and var slash ? slash : prefix.Length));
}
