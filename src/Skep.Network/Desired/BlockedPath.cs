namespace Skep.Network.Desired;

/// <summary>What somebody else's packet rules cut off.</summary>
public enum PathKind
{
    /// <summary>From outside to published ports of the mesh: forwarded to the host's cable into the ingress network.</summary>
    Published,

    /// <summary>What such ports answer.</summary>
    Answers,

    /// <summary>From outside to ports of mode host, and to the relay: forwarded to the gateway bridge.</summary>
    HostMode,

    /// <summary>From containers to the outside: forwarded from the gateway bridge.</summary>
    WayOut,
}

/// <summary>A chain that is not ours and drops what must pass.</summary>
/// <param name="Table">Its table's family and name: <c>ip filter</c>.</param>
/// <param name="Chain">Its name.</param>
/// <param name="Kind">What it cuts off.</param>
public sealed record BlockedPath(string Table, string Chain, PathKind Kind)
{
    /// <summary>The table is ufw's, which forgets what was not told to itself.</summary>
    public bool Ufw { get; init; }

    /// <summary>The node has the classic data plane, where the mesh goes by the gateway bridge as all else does.</summary>
    public bool Classic { get; init; }

    /// <summary>The link that it concerns.</summary>
    public string Link => !Classic && Kind is (PathKind.Published or PathKind.Answers) ? HostMesh.Link : SpaceNames.GatewayBridge;

    /// <summary>What goes out by the link is dropped; else what comes in by it.</summary>
    public bool Outwards => Kind is PathKind.Published or PathKind.HostMode;

    public string What => Kind switch
    {
        PathKind.Published => "published ports are not reached from other machines",
        PathKind.Answers => "what published ports answer does not reach other machines",
        PathKind.HostMode => "ports of mode host, and those with PROXY headers, are not reached from other machines",
        _ => "containers do not reach the outside",
    };

    /// <summary>A command that lets it through.</summary>
    public string Remedy => Table switch
    {
        _ when Ufw => $"ufw route allow {(Outwards ? "out" : "in")} on {Link}",
        "ip filter" or "ip6 filter" => $"{Tool} -I {Chain} {(Outwards ? "-o" : "-i")} {Link} -j ACCEPT",
        "inet firewalld" => $"firewall-cmd --permanent --zone=trusted --add-interface={Link} && firewall-cmd --reload",
        _ => $"nft insert rule {Table} {Chain} {(Outwards ? "oifname" : "iifname")} {Link} accept",
    };

    private string Tool => Table == "ip filter" ? "iptables" : "ip6tables";
}
