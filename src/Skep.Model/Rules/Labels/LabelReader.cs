using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Errors;

namespace Skep.Model.Rules.Labels;

/// <summary>Reads values of labels; what cannot be read becomes a problem that names the label, its value and what is allowed.</summary>
internal sealed class LabelReader(IReadOnlyDictionary<string, string> labels, ImmutableArray<Problem>.Builder problems)
{
    public IEnumerable<string> Names => labels.Keys.Where(LabelNames.IsOurs).Order(StringComparer.Ordinal);

    public string? Text(string name) => labels.GetValueOrDefault(name)?.Trim();

    public void Refuse(string name, string allowed) => problems.Add(new Problem($"label {name} is \"{labels[name]}\"; {allowed}"));

    public T Choice<T>(string name, T otherwise, params (string Word, T Value)[] words)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        foreach (var (word, value) in words)
        {
            if (word == text)
            {
                return value;
            }
        }

        Refuse(name, $"allowed: {string.Join(", ", words.Select(w => w.Word))}");
        return otherwise;
    }

    public int Number(string name, int otherwise, int least, int most)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        Refuse(name, string.Create(CultureInfo.InvariantCulture, $"allowed: a whole number from {least} to {most}"));
        return otherwise;
    }

    /// <summary>Go's form in whole seconds: 3h, 1h30m, 45s.</summary>
    public TimeSpan Duration(string name, TimeSpan otherwise, TimeSpan least, TimeSpan most)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        if (ParseDuration(text) is { } span && span >= least && span <= most)
        {
            return span;
        }

        Refuse(name, "allowed: a duration from 1s to 720h in hours, minutes and seconds, such as 3h or 1m30s");
        return otherwise;
    }

    /// <summary>A time to wait in Go's form, also in milliseconds; 0 = none.</summary>
    public TimeSpan Wait(string name, TimeSpan otherwise, TimeSpan most)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        var milliseconds = text.EndsWith("ms", StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(0, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? TimeSpan.FromMilliseconds(number)
                : (TimeSpan?)null;
        if ((text == "0" ? TimeSpan.Zero : milliseconds ?? ParseDuration(text)) is { } span && span <= most)
        {
            return span;
        }

        Refuse(name, string.Create(CultureInfo.InvariantCulture, $"allowed: 0 or a duration of at most {(int)most.TotalMinutes}m, such as 500ms, 30s or 1m30s"));
        return otherwise;
    }

    /// <summary>Addresses and ranges, separated by commas, as prefixes; none of them inside another. Null without the label.</summary>
    public IReadOnlyList<string>? Prefixes(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        var prefixes = new List<IPNetwork>();
        foreach (var part in Parts(text))
        {
            if (ParsePrefix(part) is { } prefix)
            {
                prefixes.Add(prefix);
            }
            else
            {
                Refuse(name, $"allowed: addresses and ranges (192.0.2.7, 10.0.0.0/8, 2001:db8::/32) separated by commas, and \"{part}\" is neither");
            }
        }

        if (Parts(text).Length == 0)
        {
            Refuse(name, "allowed: at least one address or range (192.0.2.7, 10.0.0.0/8, 2001:db8::/32), separated by commas");
        }

        return [.. prefixes.Distinct().Where(p => !prefixes.Any(o => o != p && Contains(o, p))).Order(PrefixOrder.Instance).Select(p => p.ToString())];
    }

    /// <summary>Conditions on a node as <c>--constraint</c> has them, separated by commas. Null without the label.</summary>
    public IReadOnlyList<string>? Constraints(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        var parts = Parts(text);
        try
        {
            PlacementConstraint.ParseAll(parts);
            if (parts.Length > 0)
            {
                return parts;
            }
        }
        catch (ClusterException refusal)
        {
            Refuse(name, $"allowed: placement constraints such as node.labels.edge==true, separated by commas ({refusal.Message})");
            return null;
        }

        Refuse(name, "allowed: placement constraints such as node.labels.edge==true, separated by commas");
        return null;
    }

    private static string[] Parts(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool Contains(IPNetwork outer, IPNetwork inner) =>
        outer.BaseAddress.AddressFamily == inner.BaseAddress.AddressFamily && outer.PrefixLength <= inner.PrefixLength && outer.Contains(inner.BaseAddress);

    // Packets have no zone, and ::ffff:192.0.2.7 is how a program sees a client that came by IPv4.
    private static IPNetwork? ParsePrefix(string text)
    {
        if (text.Contains('%'))
        {
            return null;
        }

        if (IPAddress.TryParse(text, out var address) && address.ToString().Equals(text, StringComparison.OrdinalIgnoreCase))
        {
            return Four(address, 128) ?? new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        }

        return IPNetwork.TryParse(text, out var network) ? Four(network.BaseAddress, network.PrefixLength) ?? network : null;
    }

    private static IPNetwork? Four(IPAddress address, int length) =>
        address.IsIPv4MappedToIPv6 && length >= 96 ? new IPNetwork(address.MapToIPv4(), length - 96) : null;

    private static TimeSpan? ParseDuration(string text)
    {
        var total = TimeSpan.Zero;
        var digits = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i]))
            {
                digits++;
                continue;
            }

            if (digits is 0 or > 7)
            {
                return null;
            }

            var number = int.Parse(text.AsSpan(i - digits, digits), CultureInfo.InvariantCulture);
            if (text[i] is not ('h' or 'm' or 's'))
            {
                return null;
            }

            total += text[i] switch { 'h' => TimeSpan.FromHours(number), 'm' => TimeSpan.FromMinutes(number), _ => TimeSpan.FromSeconds(number) };
            digits = 0;
        }

        return digits == 0 && text.Length > 0 ? total : null;
    }

    private sealed class PrefixOrder : IComparer<IPNetwork>
    {
        public static readonly PrefixOrder Instance = new();

        public int Compare(IPNetwork x, IPNetwork y)
        {
            var (one, two) = (x.BaseAddress.GetAddressBytes(), y.BaseAddress.GetAddressBytes());
            var order = one.Length != two.Length ? one.Length - two.Length : one.AsSpan().SequenceCompareTo(two);
            return order != 0 ? order : x.PrefixLength - y.PrefixLength;
        }
    }
}
