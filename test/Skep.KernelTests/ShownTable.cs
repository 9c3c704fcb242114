namespace Skep.KernelTests;

/// <summary>
/// A table that a test makes, line by line in its output; and where SKEP_TABLES names a folder, as a file there, for <c>./skep test</c> to show.
/// </summary>
internal sealed class ShownTable(ITestOutputHelper output, string name)
{
    private static readonly string? s_folder = Environment.GetEnvironmentVariable("SKEP_TABLES");

    public void Line(string line)
    {
        output.WriteLine(line);
        if (s_folder is not null)
        {
            File.AppendAllText(Path.Combine(s_folder, name), line.TrimEnd() + "\n");
        }
    }
}
