using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Skep.ClassicTests.Uml;

/// <summary>The part inside: reads calls from the serial line, one JSON object per line, and answers each. The end of the line ends it.</summary>
internal static class UmlGuest
{
    public const string Argument = "--guest";

    public static async Task<int> RunAsync(string channel)
    {
        using var input = new FileStream(channel, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
        using var output = new FileStream(channel, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1);
        using var reader = new StreamReader(input, Encoding.UTF8);
        await AnswerAsync(output, new UmlResult(0, null, null));
        while (await reader.ReadLineAsync() is { } line)
        {
            // Each call runs aside, so that one that hangs does not keep the end of the line from being seen.
            if (JsonSerializer.Deserialize<UmlCall>(line) is { } call)
            {
                _ = Task.Run(async () => await AnswerAsync(output, await DoAsync(call)));
            }
        }

        return 0;
    }

    private static async Task<UmlResult> DoAsync(UmlCall call)
    {
        try
        {
            return call.Script is { } script ? await RunScriptAsync(call.Number, script) : new UmlResult(call.Number, null, await InvokeAsync(call));
        }
        catch (Exception failure)
        {
            return new UmlResult(call.Number, (failure is TargetInvocationException { InnerException: { } inner } ? inner : failure).ToString(), null);
        }
    }

    private static async Task<string?> InvokeAsync(UmlCall call)
    {
        var method = Type.GetType(call.Type!, throwOnError: true)!.GetMethod(call.Method!, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            ?? throw new MissingMethodException(call.Type, call.Method);
        var task = (Task)method.Invoke(null, call.Argument is { } argument ? [JsonSerializer.Deserialize(argument, method.GetParameters()[0].ParameterType)] : null)!;
        await task;
        return method.ReturnType.IsGenericType ? JsonSerializer.Serialize(method.ReturnType.GetProperty("Result")!.GetValue(task)) : null;
    }

    private static async Task<UmlResult> RunScriptAsync(int number, string script)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", "exec 2>&1\n" + script]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new UmlResult(number, process.ExitCode == 0 ? null : $"exit {process.ExitCode} of: {script}\n{output}", output);
    }

    private static async Task AnswerAsync(FileStream output, UmlResult result)
    {
        var line = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(result) + "\n");
        await s_writing.WaitAsync();
        try
        {
            await output.WriteAsync(line);
            await output.FlushAsync();
        }
        finally
        {
            s_writing.Release();
        }
    }

    private static readonly SemaphoreSlim s_writing = new(1);
}
