using Skep.Bench.Swarms;

namespace Skep.Bench.Measuring;

/// <summary>TCP's congestion control, which decides when what a server sends may leave.</summary>
internal static class CongestionControl
{
    /// <summary>Sends as soon as the windows let it (RFC 5681). Every kernel has it, and every network namespace may choose it.</summary>
    public const string Plain = "reno";

    // Where nothing is lost it sends as the plain one does (RFC 9438).
    private const string Cubic = "cubic";
    private const string Setting = "net.ipv4.tcp_congestion_control";

    /// <summary>The plain one and, where the machine's kernel begins with another that holds packets back with a timer for each (BBR), that one.</summary>
    public static IReadOnlyList<string> All => OfMachine is Plain or Cubic ? [Plain] : [Plain, OfMachine];

    /// <summary>For the connections that the process accepts from now on.</summary>
    public static Task ChooseAsync(int process, string name, CancellationToken cancellationToken) =>
        BenchNode.InNetworkOfAsync(process, ["sysctl", "-q", "-w", $"{Setting}={name}"], cancellationToken);

    private static string OfMachine => File.ReadAllText("/proc/sys/" + Setting.Replace('.', '/')).Trim();
}
