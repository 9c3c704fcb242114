using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Skep.ClassicTests.Uml;

/// <summary>
/// A machine with a User-Mode Linux kernel (<see cref="UmlKernel"/>), for what the host's kernel may lack. Its root is the host's, read only under a
/// layer in its memory. Tests call static methods of this assembly inside it. As a class fixture it boots once for the class.
/// </summary>
public class UmlMachine : IAsyncLifetime
{
    private static readonly TimeSpan s_bootLimit = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<int, TaskCompletionSource<UmlResult>> _open = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly UmlConsole _console = new();
    private readonly int _megabytes;
    private readonly TimeSpan _lifetime;
    private Process? _process;
    private Task _reading = Task.CompletedTask;
    private int _calls;

    public UmlMachine()
        : this(1024, TimeSpan.FromSeconds(180))
    {
    }

    /// <param name="megabytes">Memory; the host gives only what is touched.</param>
    /// <param name="lifetime">After this the machine switches itself off, whatever it does.</param>
    protected UmlMachine(int megabytes, TimeSpan lifetime) => (_megabytes, _lifetime) = (megabytes, lifetime);

    /// <summary>What the kernel and the programs inside printed so far.</summary>
    public string Console => _console.Text;

    public async ValueTask InitializeAsync()
    {
        var ready = _open[0] = new TaskCompletionSource<UmlResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Process.Start(Command())!;
        _process.ErrorDataReceived += (_, line) => _console.Add(line.Data);
        _process.BeginErrorReadLine();
        _reading = ReadAsync(_process.StandardOutput);
        await WithinAsync(ready.Task, s_bootLimit, "boot");
    }

    /// <summary>Calls this static method inside and waits for its end; what it throws is thrown here, as text.</summary>
    /// <param name="limit">60 s if not given.</param>
    public async Task RunAsync(Func<Task> method, TimeSpan? limit = null) => await CallAsync(Named(method.Method), limit);

    /// <summary>As above, with an argument that travels as JSON.</summary>
    public async Task RunAsync<T>(Func<T, Task> method, T argument, TimeSpan? limit = null) =>
        await CallAsync(Named(method.Method) with { Argument = JsonSerializer.Serialize(argument) }, limit);

    /// <summary>As above; what it returns travels as JSON.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> method, TimeSpan? limit = null) =>
        JsonSerializer.Deserialize<T>(await CallAsync(Named(method.Method), limit) ?? "null")!;

    /// <summary>Runs this script inside with bash -euo pipefail; returns both its streams as printed.</summary>
    public async Task<string> ShellAsync(string script, TimeSpan? limit = null) => await CallAsync(new UmlCall(0, null, null, script), limit) ?? "";

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_process is not { } process)
        {
            return;
        }

        // The child of unshare is the first process of its own process namespace: with it everything of the machine ends.
        process.Kill();
        await process.WaitForExitAsync();
        await _reading;
        process.Dispose();
        _writing.Dispose();
    }

    private static UmlCall Named(System.Reflection.MethodInfo method) => method.IsStatic && method.DeclaringType is { } type && !method.Name.Contains('<', StringComparison.Ordinal)
        ? new UmlCall(0, type.AssemblyQualifiedName, method.Name, null)
        : throw new ArgumentException($"{method.Name} is not a static method with a name: it could not be found inside.");

    private ProcessStartInfo Command()
    {
        string[] command =
        [
            "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", UmlKernel.Program,
            string.Create(CultureInfo.InvariantCulture, $"mem={_megabytes}M"),
            "root=/dev/root", "rootfstype=hostfs", "hostfs=/", "ro", "quiet", $"init={Path.Combine(AppContext.BaseDirectory, "Uml/boot.sh")}",
            "con=null", "con0=null,fd:2", "ssl=null", "ssl0=fd:0,fd:1",
            // Words that the kernel does not know become the environment of the first process.
            $"SKEP_GUEST={Environment.ProcessPath}",
            string.Create(CultureInfo.InvariantCulture, $"SKEP_LIFETIME={_lifetime.TotalSeconds:F0}"),
            $"DOTNET_ROOT={Path.GetFullPath("../../..", Path.GetDirectoryName(typeof(object).Assembly.Location)!)}",
            "DOTNET_TieredPGO=0",
        ];
        return new ProcessStartInfo("unshare", command) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
    }

    private async Task<string?> CallAsync(UmlCall call, TimeSpan? limit)
    {
        var number = Interlocked.Increment(ref _calls);
        var end = _open[number] = new TaskCompletionSource<UmlResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _writing.WaitAsync();
        try
        {
            await _process!.StandardInput.WriteLineAsync(JsonSerializer.Serialize(call with { Number = number }));
            await _process.StandardInput.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }

        var result = await WithinAsync(end.Task, limit ?? TimeSpan.FromSeconds(60), call.Method ?? call.Script!);
        return result.Error is { } error ? throw new UmlException($"inside the machine: {error}\n--- console ---\n{Console}") : result.Output;
    }

    private async Task<UmlResult> WithinAsync(Task<UmlResult> result, TimeSpan limit, string what)
    {
        try
        {
            return await result.WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            throw new UmlException($"{what} did not end within {limit.TotalSeconds} s\n--- console ---\n{Console}");
        }
    }

    private async Task ReadAsync(StreamReader lines)
    {
        while (await lines.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith('{'))
            {
                _console.Add(line);
            }
            else if (JsonSerializer.Deserialize<UmlResult>(line) is { } result && _open.TryRemove(result.Number, out var open))
            {
                open.SetResult(result);
            }
        }

        foreach (var open in _open.Values)
        {
            open.TrySetException(new UmlException($"the machine went off\n--- console ---\n{Console}"));
        }
    }
}
