using System.Runtime.InteropServices;

namespace Skep.Agent.Images.Manifests;

/// <summary>Which of an index's images this machine runs.</summary>
public static class PlatformChoice
{
    public static ImagePlatform Host { get; } = new(ArchitectureName(RuntimeInformation.OSArchitecture), "linux", RuntimeInformation.OSArchitecture switch
    {
        Architecture.Arm => "v7",
        Architecture.Arm64 => "v8",
        _ => null,
    });

    /// <summary>Null when none fits. An exact variant is better than an unnamed one; unnamed is better than another.</summary>
    public static Descriptor? Choose(IReadOnlyList<Descriptor> manifests, ImagePlatform wanted) => manifests
        .Where(manifest => manifest.Platform is { } platform && Runs(platform, wanted))
        .OrderByDescending(manifest => manifest.Platform!.Variant == wanted.Variant)
        .ThenByDescending(manifest => string.IsNullOrEmpty(manifest.Platform!.Variant))
        .ThenByDescending(manifest => manifest.Platform!.Variant, StringComparer.Ordinal)
        .FirstOrDefault();

    public static bool Runs(ImagePlatform image, ImagePlatform host) =>
        image.Os == host.Os && image.Architecture == host.Architecture
        && (string.IsNullOrEmpty(image.Variant) || host.Variant is null || string.CompareOrdinal(image.Variant, host.Variant) <= 0);

    private static string ArchitectureName(Architecture architecture) => architecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        Architecture.Arm64 => "arm64",
        Architecture.Arm => "arm",
        Architecture.S390x => "s390x",
        Architecture.Ppc64le => "ppc64le",
        Architecture.RiscV64 => "riscv64",
        Architecture.LoongArch64 => "loong64",
        _ => architecture.ToString().ToLowerInvariant(),
    };
}
