using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.Manager.Allocation;

/// <summary>Which service has which published port of the routing mesh, per protocol.</summary>
public sealed class PortBook
{
    public const uint FirstDynamic = 30000;
    public const uint LastDynamic = 32767;

    private readonly Dictionary<(string Protocol, uint Port), string> _owners = [];
    private readonly Dictionary<string, HashSet<(string Protocol, uint Port)>> _held = [];
    private uint _last = FirstDynamic - 1;

    public void Set(SwarmService service)
    {
        var next = new HashSet<(string, uint)>();
        foreach (var port in service.Endpoint?.Ports ?? [])
        {
            if (PortRules.IsIngress(port) && port.PublishedPort is > 0 and { } number)
            {
                next.Add((PortRules.Protocol(port), number));
            }
        }

        Drop(service.Id);
        foreach (var key in next)
        {
            _owners.TryAdd(key, service.Id);
        }

        _held[service.Id] = next;
    }

    public void Drop(string serviceId)
    {
        foreach (var key in _held.GetValueOrDefault(serviceId, []))
        {
            if (_owners.GetValueOrDefault(key) == serviceId)
            {
                _owners.Remove(key);
            }
        }

        _held.Remove(serviceId);
    }

    public int Count => _owners.Count;

    public string? OwnerOf(string protocol, uint port) => _owners.GetValueOrDefault((protocol, port));

    /// <summary>The next free port of the dynamic range, behind the last one given out; null when all are taken.</summary>
    public uint? NextDynamic(string protocol, IReadOnlySet<(string Protocol, uint Port)> avoid)
    {
        const uint Count = LastDynamic - FirstDynamic + 1;
        for (uint step = 0; step < Count; step++)
        {
            var port = FirstDynamic + ((_last + 1 - FirstDynamic + step) % Count);
            if (!_owners.ContainsKey((protocol, port)) && !avoid.Contains((protocol, port)))
            {
                _last = port;
                return port;
            }
        }

        return null;
    }
}

/// <summary>How the unset fields of a published port read.</summary>
public static class PortRules
{
    public static bool IsIngress(PortConfig port) => !IsHost(port);

    public static bool IsHost(PortConfig port) => port.PublishMode == PortConfig.Host;

    public static string Protocol(PortConfig port) => string.IsNullOrEmpty(port.Protocol) ? "tcp" : port.Protocol;

    public static bool HasIngress(EndpointSpec? spec) => spec?.Ports?.Any(IsIngress) == true;
}
