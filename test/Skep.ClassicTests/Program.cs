using Skep.ClassicTests.Uml;
using Xunit.MicrosoftTestingPlatform;

namespace Skep.ClassicTests;

/// <summary>Outside it is the test runner; inside a machine that the runner booted it is the guest that does what the tests ask.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments) =>
        arguments is [UmlGuest.Argument, var channel]
            ? await UmlGuest.RunAsync(channel)
            : await TestPlatformTestFramework.RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
}
