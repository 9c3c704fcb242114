using System.Text.Json;
using Skep.Agent.Runtime;
using Skep.Agent.Runtime.Health;
using Skep.Agent.Runtime.Spec;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.UnitTests.Agent.Runtime;

public sealed class SpecTests
{
    private static readonly ContainerRecipe s_recipe = new() { Id = new string('a', 64), Name = "x", Image = "i" };

    [Fact]
    public void The_default_seccomp_profile_allows_a_program_and_refuses_mounting()
    {
        using var plain = JsonDocument.Parse(SeccompProfile.Convert(SeccompProfile.ReadDefault(), Capabilities.Default.ToList()));
        var allowed = Allowed(plain);
        Assert.Equal("SCMP_ACT_ERRNO", plain.RootElement.GetProperty("defaultAction").GetString());
        Assert.Equal(1, plain.RootElement.GetProperty("defaultErrnoRet").GetInt32());
        Assert.Subset(allowed, new HashSet<string> { "read", "execve", "socket", "clone", "chroot", "futex_waitv" });
        Assert.Empty(allowed.Intersect(["mount", "unshare", "bpf", "keyctl", "add_key", "kexec_load", "init_module", "io_uring_setup", "reboot"]));
        using var admin = JsonDocument.Parse(SeccompProfile.Convert(SeccompProfile.ReadDefault(), [.. Capabilities.Default, "CAP_SYS_ADMIN"]));
        Assert.Contains("mount", Allowed(admin));
    }

    [Fact]
    public void Capabilities_add_and_drop_as_docker_does()
    {
        Assert.Equal(14, Capabilities.Resolve([], []).Count);
        Assert.Equal(["CAP_NET_ADMIN"], Capabilities.Resolve(["net_admin"], ["ALL"]));
        Assert.DoesNotContain("CAP_CHOWN", Capabilities.Resolve(["ALL"], ["CAP_CHOWN"]));
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ClusterException>(() => Capabilities.Resolve(["FLY"], [])).Kind);
    }

    [Fact]
    public void The_recipe_wins_over_the_image()
    {
        var image = new ImageConfig { Entrypoint = ["/entry"], Command = ["default"], Env = ["A=1", "B=2"], User = "bee" };
        var kept = ConfigMerge.Merge(s_recipe with { Env = ["B=3"] }, image);
        Assert.Equal(["/entry", "default"], ConfigMerge.CommandLine(kept));
        Assert.Equal(["A=1", "B=3"], kept.Env.Skip(1));
        Assert.Equal("aaaaaaaaaaaa", kept.Hostname);
        Assert.Equal(["other"], ConfigMerge.CommandLine(ConfigMerge.Merge(s_recipe with { Entrypoint = ["other"] }, image)));
        Assert.Throws<ClusterException>(() => ConfigMerge.CommandLine(ConfigMerge.Merge(s_recipe, new ImageConfig())));
    }

    [Fact]
    public void Users_come_from_the_images_files()
    {
        var users = new UserDatabase("root:x:0:0::/:/bin/sh\nbee:x:1000:1001::/:/bin/sh\n", "bee:x:1001:\nextra:x:7:bee,root\n");
        var bee = users.Resolve("bee", ["9"], new ProcessSettings());
        Assert.Equal((1000u, 1001u), (bee.Uid, bee.Gid));
        Assert.Equal([7u, 9u, 1001u], bee.AdditionalGids);
        Assert.Equal((77u, 0u), (users.Resolve("77", [], new ProcessSettings()).Uid, users.Resolve("77", [], new ProcessSettings()).Gid));
        var error = Assert.Throws<ClusterException>(() => users.Resolve("wasp", [], new ProcessSettings()));
        Assert.Equal("unable to find user wasp: no matching entries in passwd file", error.Message);
    }

    [Fact]
    public void Limits_and_namespaces_are_in_the_spec()
    {
        var bytes = OciSpec.Write(new OciSpecInput
        {
            Id = "c", CommandLine = ["sh"], Process = new ProcessSettings(), Hostname = "h", NetworkNamespace = "/run/ns",
            Limits = new ResourceLimits { NanoCPUs = 1_500_000_000, MemoryBytes = 100, Pids = 9 }, Cgroup = CgroupKind.V2,
        });
        using var spec = JsonDocument.Parse(bytes);
        var linux = spec.RootElement.GetProperty("linux");
        Assert.Equal("/skep/c", linux.GetProperty("cgroupsPath").GetString());
        Assert.Equal(150_000, linux.GetProperty("resources").GetProperty("cpu").GetProperty("quota").GetInt64());
        Assert.Equal(200, linux.GetProperty("resources").GetProperty("memory").GetProperty("swap").GetInt64());
        Assert.Equal("/run/ns", linux.GetProperty("namespaces").EnumerateArray().Single(n => n.GetProperty("type").ValueEquals("network")).GetProperty("path").GetString());
        Assert.Contains(linux.GetProperty("namespaces").EnumerateArray(), n => n.GetProperty("type").ValueEquals("cgroup"));
    }

    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("kill", 9)]
    [InlineData("12", 12)]
    [InlineData("SIGRTMIN+3", 37)]
    public void Signals_have_names_and_numbers(string text, int number) => Assert.Equal(number, Signals.Parse(text));

    [Fact]
    public void Health_needs_failures_in_a_row_and_forgives_a_start()
    {
        static HealthProbe Probe(int code) => new(default, default, code, "");
        var starting = HealthRules.Next(null, Probe(1), 2, inStartPeriod: true, 5);
        Assert.Equal(("starting", 0), (starting.Status, starting.FailingStreak));
        var healthy = HealthRules.Next(starting, Probe(0), 2, true, 5);
        Assert.Equal("healthy", HealthRules.Next(healthy, Probe(1), 2, true, 5).Status);
        Assert.Equal("unhealthy", HealthRules.Next(HealthRules.Next(healthy, Probe(1), 2, true, 5), Probe(1), 2, true, 5).Status);
    }

    private static HashSet<string> Allowed(JsonDocument profile) =>
        [.. profile.RootElement.GetProperty("syscalls").EnumerateArray()
            .Where(r => r.GetProperty("action").ValueEquals("SCMP_ACT_ALLOW"))
            .SelectMany(r => r.GetProperty("names").EnumerateArray().Select(n => n.GetString()!))];
}
