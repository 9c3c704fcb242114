namespace Skep.ClassicTests.Uml;

/// <summary>
/// The kernel that machines boot: Debian's, or the one at the path in SKEP_UML_KERNEL, which kernel.sh makes and which has nftables too.
/// </summary>
public static class UmlKernel
{
    /// <summary>The kernel that was asked for; null = Debian's.</summary>
    public static string? Own { get; } = Environment.GetEnvironmentVariable("SKEP_UML_KERNEL") is { Length: > 0 } path ? path : null;

    /// <summary>What is run.</summary>
    public static string Program => Own is null || File.Exists(Own)
        ? Own ?? "linux.uml"
        : throw new FileNotFoundException($"SKEP_UML_KERNEL is {Own}, and there is no such file. test/Skep.ClassicTests/Uml/kernel.sh makes one.");
}
