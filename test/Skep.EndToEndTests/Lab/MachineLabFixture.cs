using System.Globalization;
using System.Text.Json.Nodes;

namespace Skep.EndToEndTests.Lab;

/// <summary>A lab of machines whose daemon is a stand-in, of a name of its own; it is taken down at the end.</summary>
public sealed class MachineLabFixture : IAsyncLifetime
{
    private readonly string _standIn = $"/tmp/skep-stand-in-{Environment.ProcessId}-{Guid.NewGuid():n}.pl";

    public string Name { get; } = string.Create(CultureInfo.InvariantCulture, $"labtest-{Guid.NewGuid().ToString("n")[..8]}");

    public string Folder => $"/var/lib/skep-lab/{Name}";

    public async ValueTask InitializeAsync()
    {
        File.Copy(Path.Combine(AppContext.BaseDirectory, "stand-in.pl"), _standIn);
        await UpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Door.MustAsync("lab", "down", "--name", Name);
        File.Delete(_standIn);
    }

    public Task UpAsync() =>
        Door.MustAsync("lab", "up", "--nodes", "2", "--no-swarm", "--name", Name, "--daemon-command", $"perl {_standIn}");

    public Task<string> MustAsync(string verb, params string[] words) => Door.MustAsync(["lab", verb, "--name", Name, .. words]);

    public Task<(int Status, string Output, string Error)> ExecAsync(int node, string[] command, string input = "") =>
        Door.RunAsync(["lab", "exec", "--name", Name, $"{node}", "--", .. command], input);

    public async Task<string> OnAsync(int node, params string[] command)
    {
        var (status, output, error) = await ExecAsync(node, command);
        Assert.True(status == 0, $"{string.Join(' ', command)}: {status} {error}");
        return output.Trim();
    }

    internal async Task<JsonArray> ListAsync() => JsonNode.Parse(await MustAsync("ls", "--format", "json"))!.AsArray();

    internal async Task<string> StateAsync(int node) => (string)(await ListAsync())[node - 1]!["State"]!;

    internal async Task<int> PidAsync(int node) => (int)(await ListAsync())[node - 1]!["Pid"]!;

    internal async Task<string> AddressAsync(int node) => (string)(await ListAsync())[node - 1]!["Address"]!;
}
