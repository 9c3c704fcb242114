using System.Diagnostics;

namespace Skep.EndToEndTests.Lab;

/// <summary>Types <c>./skep …</c> as a user would.</summary>
internal static class Door
{
    public static string Root { get; } = FindRoot();

    public static async Task<(int Status, string Output, string Error)> RunAsync(string[] words, string input = "")
    {
        using var process = Start(words);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var said = (await output, await error);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, said.Item1, said.Item2);
    }

    /// <summary>Types it, for what is read while it runs.</summary>
    public static Process Start(string[] words) => Process.Start(new ProcessStartInfo(Path.Combine(Root, "skep"), words)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>The same, for what must succeed.</summary>
    public static async Task<string> MustAsync(params string[] words)
    {
        var (status, output, error) = await RunAsync(words);
        Assert.True(status == 0, $"skep {string.Join(' ', words)}: {status}\n{output}{error}");
        return output;
    }

    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("SKEP") is { Length: > 0 } door)
        {
            return Path.GetDirectoryName(door)!;
        }

        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Skep.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run from a clone of the project.");
        }

        return folder;
    }
}
