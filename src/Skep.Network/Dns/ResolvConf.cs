using System.Net;
using Skep.Model.Specs;

namespace Skep.Network.Dns;

/// <summary>A resolv.conf as it was read, and the text of a sandbox's own.</summary>
internal sealed record ResolvConf(IReadOnlyList<IPAddress> Servers, IReadOnlyList<string> Search, IReadOnlyList<string> Options)
{
    private const string HostFile = "/etc/resolv.conf";
    private const int MostServers = 3;

    /// <summary>The host's; empty when it has none.</summary>
    public static ResolvConf OfHost()
    {
        try
        {
            return Parse(File.ReadLines(HostFile));
        }
        catch (IOException)
        {
            return new ResolvConf([], [], []);
        }
    }

    public static ResolvConf Parse(IEnumerable<string> lines)
    {
        var servers = new List<IPAddress>();
        List<string> search = [], options = [];
        foreach (var line in lines)
        {
            var words = line.Split(['#', ';'])[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case ["nameserver", var text, ..] when IPAddress.TryParse(text, out var address): servers.Add(address); break;
                case ["search" or "domain", .. var domains]: search = [.. domains]; break;
                case ["options", .. var given]: options.AddRange(given); break;
            }
        }

        return new ResolvConf([.. servers.Take(MostServers)], search, options);
    }

    /// <summary>Somebody has chosen how many dots a name needs: then one without any is meant for the swarm only, as with Docker.</summary>
    public static bool HasDots(DnsConfig wish, ResolvConf host) => OptionsOf(wish, host).Any(IsDots);

    /// <summary>The text for a sandbox: our server, then the user's search list and options, or the host's.</summary>
    public static string TextFor(DnsConfig wish, ResolvConf host)
    {
        var search = wish.Search is { Count: > 0 } ? wish.Search : host.Search;
        var options = OptionsOf(wish, host).ToList();
        if (!options.Any(IsDots))
        {
            options.Add("ndots:0");
        }

        var searchLine = search.Count > 0 && !search.SequenceEqual(["."]) ? $"search {string.Join(' ', search)}\n" : "";
        return $"nameserver 127.0.0.11\n{searchLine}options {string.Join(' ', options)}\n";
    }

    private static IReadOnlyList<string> OptionsOf(DnsConfig wish, ResolvConf host) => wish.Options is { Count: > 0 } ? wish.Options : host.Options;

    private static bool IsDots(string option) => option.StartsWith("ndots:", StringComparison.Ordinal);
}
