using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Skep.UnitTests.Architecture;

/// <summary>
/// Which folder may name which. Project walls are references; this table holds the folders inside them. A line that breaks it is
/// printed; a new dependency is added here on purpose or not at all.
/// </summary>
public sealed partial class FolderWallTests
{
    private const string Model = "Skep.Model";
    private const string Protocol = "Skep.Protocol";
    private const string Rpc = "Skep.Rpc";
    private const string Kernel = "Skep.Kernel";
    private const string Network = "Skep.Network";

    /// <summary>Project/folder, then what it may use: other folders of the project, and other projects by their full name.</summary>
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Skep.Model/Errors"] = [],
        ["Skep.Model/Flow"] = [],
        ["Skep.Model/Identity"] = [],
        ["Skep.Model/Objects"] = ["Specs", "States"],
        ["Skep.Model/Plans"] = ["Specs"],
        ["Skep.Model/Rules"] = ["Errors", "Objects", "Plans", "Specs"],
        ["Skep.Model/Specs"] = [],
        ["Skep.Model/States"] = [],
        ["Skep.Rpc/Client"] = ["Framing"],
        ["Skep.Rpc/Framing"] = [],
        ["Skep.Rpc/Server"] = ["Framing"],
        ["Skep.Kernel/Bpf"] = ["Native"],
        ["Skep.Kernel/Conntrack"] = ["Namespaces", "Native", "Netlink"],
        ["Skep.Kernel/Iptables"] = ["Namespaces"],
        ["Skep.Kernel/Ipvs"] = ["Namespaces", "Netlink"],
        ["Skep.Kernel/Links"] = ["Namespaces", "Netlink"],
        ["Skep.Kernel/Namespaces"] = ["Native"],
        ["Skep.Kernel/Native"] = [],
        ["Skep.Kernel/Netlink"] = ["Namespaces", "Native"],
        ["Skep.Kernel/NfLog"] = ["Namespaces", "Netlink"],
        ["Skep.Kernel/Nftables"] = ["Namespaces", "Netlink", "Native"],
        ["Skep.Kernel/Routes"] = ["Links", "Namespaces", "Native", "Netlink"],
        ["Skep.Kernel/Sockets"] = ["Native", "Namespaces", "Netlink"],
        ["Skep.Kernel/Xfrm"] = ["Namespaces", "Native", "Netlink"],
        ["Skep.Kernel/Sysctl"] = ["Namespaces"],
        ["Skep.Protocol/Records"] = [Model],
        ["Skep.EngineApi/Containers"] = ["Json", Model],
        ["Skep.EngineApi/Engine"] = ["Json", "Swarm"],
        ["Skep.EngineApi/Events"] = [],
        ["Skep.EngineApi/Images"] = [],
        ["Skep.EngineApi/Json"] = [],
        ["Skep.EngineApi/Net"] = [],
        ["Skep.EngineApi/Networks"] = ["Json", Model],
        ["Skep.EngineApi/Nodes"] = ["Json", Model],
        ["Skep.EngineApi/Services"] = ["Json", Model],
        ["Skep.EngineApi/Swarm"] = ["Json", Model],
        ["Skep.EngineApi/Tasks"] = ["Json", "Services", Model],
        ["Skep.Network/Desired"] = [Model],
        ["Skep.Network/Dns"] = [Model, Kernel],
        ["Skep.Network/Ejection"] = ["Desired", Model, Kernel],
        ["Skep.Network/Probes"] = ["Desired", Model, Kernel],
        ["Skep.Network/Local"] = ["Desired", Model, Kernel],
        ["Skep.Network/Relays"] = ["Desired", Kernel],
        ["Skep.Network/Reconcile"] = ["Desired", Kernel],
        ["Skep.Network/Sockets"] = ["Desired", Model, Kernel],

        // The stages of a pass work on one set (Orchestration/WorkingSet); otherwise they meet only in the store.
        ["Skep.Manager/Allocation"] = ["Orchestration", "Store", Model],
        ["Skep.Manager/Certificates"] = ["Store", Model, Protocol],
        ["Skep.Manager/Control"] = ["Allocation", "Certificates", "Orchestration", "Store", Model],
        ["Skep.Manager/Dispatch"] = ["Certificates", "Store", Model, Protocol],
        ["Skep.Manager/Encryption"] = ["Certificates", "Store", Model],
        ["Skep.Manager/Leadership"] = ["Store", Model, Protocol, Rpc],
        ["Skep.Manager/Orchestration"] = ["Allocation", "Scheduling", "Store", Model, Protocol],
        ["Skep.Manager/Scheduling"] = ["Allocation", "Orchestration", Model],
        ["Skep.Manager/Store"] = [Model, Protocol, Rpc],
        ["Skep.Agent/Assignments"] = [Model, Protocol],
        ["Skep.Agent/Images"] = [Model, Protocol, Rpc],
        ["Skep.Agent/Logs"] = [Model],
        ["Skep.Agent/Runtime"] = ["Images", "Logs", "Volumes", Model, Protocol, Rpc],
        ["Skep.Agent/Session"] = ["Assignments", "Logs", "Runtime", "Tasks", Model, Protocol, Rpc],
        ["Skep.Agent/Tasks"] = ["Assignments", "Images", "Runtime", Model, Protocol, Network],
        ["Skep.Agent/Volumes"] = ["Runtime", Model],
    };

    private static readonly Dictionary<string, string[]> s_references = new()
    {
        [Model] = [],
        [Rpc] = [],
        [Kernel] = [],
        ["Skep.EngineApi"] = [Model],
        [Protocol] = [Model],
        [Network] = [Model, Protocol, Kernel],
        ["Skep.Manager"] = [Model, Protocol, Rpc],
        ["Skep.Agent"] = [Model, Protocol, Rpc, Network],
    };

    [Fact]
    public void No_folder_names_what_it_must_not_know()
    {
        var broken = new List<string>();
        var read = 0;
        foreach (var project in s_references.Keys)
        {
            foreach (var folder in Directory.EnumerateDirectories(Path.Combine(Source(), project)).Select(f => Path.GetFileName(f)!).Where(f => f is not ("bin" or "obj" or "Protos")))
            {
                if (!s_allowed.TryGetValue($"{project}/{folder}", out var allowed))
                {
                    broken.Add($"{project}/{folder} is not in the table");
                    continue;
                }

                foreach (var file in Directory.EnumerateFiles(Path.Combine(Source(), project, folder), "*.cs", SearchOption.AllDirectories))
                {
                    read++;
                    broken.AddRange(LinesOf(file).Where(l => !IsAllowed(project, folder, allowed, l.Name)).Select(l => $"{Path.GetRelativePath(Source(), file)}({l.Number}): {l.Text}"));
                }
            }
        }

        Assert.True(broken.Count == 0, string.Join('\n', broken));
        Assert.True(read > 100, $"only {read} files were read");
    }

    [Fact]
    public void Projects_refer_one_way()
    {
        foreach (var (project, allowed) in s_references)
        {
            var text = File.ReadAllText(Path.Combine(Source(), project, project + ".csproj"));
            var named = Reference().Matches(text).Select(m => m.Groups[1].Value);
            Assert.True(named.All(allowed.Contains), $"{project} refers to {string.Join(", ", named.Except(allowed))}");
        }
    }

    [Fact]
    public void The_table_names_only_folders_that_are_there() =>
        Assert.All(s_allowed.Keys, folder => Assert.True(Directory.Exists(Path.Combine(Source(), folder)), folder));

    private static bool IsAllowed(string project, string folder, string[] allowed, string name)
    {
        if (name == project)
        {
            return true;
        }

        if (name.StartsWith(project + ".", StringComparison.Ordinal))
        {
            var other = name[(project.Length + 1)..].Split('.')[0];
            return other == folder || allowed.Contains(other);
        }

        return allowed.Any(a => name == a || name.StartsWith(a + ".", StringComparison.Ordinal));
    }

    private static IEnumerable<(int Number, string Text, string Name)> LinesOf(string file) =>
        from line in File.ReadLines(file).Select((text, index) => (Text: text, Number: index + 1))
        let match = Using().Match(line.Text)
        where match.Success
        select (line.Number, line.Text, match.Groups[1].Value);

    private static string Source([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "src"));

    [GeneratedRegex(@"^using (?:static |\w+ = )?(Skep(?:\.\w+)+)")]
    private static partial Regex Using();

    [GeneratedRegex(@"ProjectReference Include=""\.\./(Skep[.\w]*)/")]
    private static partial Regex Reference();
}
