using Skep.ClassicTests.Uml;

namespace Skep.ClassicTests.Classic;

/// <summary>User-Mode Linux with three nodes of the classic data plane in it.</summary>
public sealed class ClassicMachine : IAsyncLifetime
{
    private readonly Machine _machine = new();

    public async ValueTask InitializeAsync()
    {
        await _machine.InitializeAsync();
        await _machine.RunAsync(BuildAsync, TimeSpan.FromSeconds(90));
    }

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    public static string Space(int node, string name) => $"/tmp/classic-{node}/netns/{name}";

    public Task RunAsync(Func<Task> method, TimeSpan limit) => _machine.RunAsync(method, limit);

    public Task<string> ShellAsync(string script) => _machine.ShellAsync(script);

    /// <summary>A command in the shell of one node.</summary>
    public Task<string> OnAsync(string node, string command) => _machine.ShellAsync($"nsenter --net=$(ls /run/netns/cn-*-{node}) {command}");

    private static Task BuildAsync() => ClassicNodes.GetAsync();

    // The limits of all its tests fit in, on a busy host too.
    private sealed class Machine() : UmlMachine(1024, TimeSpan.FromMinutes(15));
}
